"""Compensation taken from wages in instalments, on integer cents: never more than the law lets be taken in a month.

Source: 工资支付暂行规定 16 (at most 20 % of the month's wage; what is left must reach the local minimum wage).
An instalment is `min(remaining, 20 % of the month's wage, wage − minimum wage)`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

MOST = 120  # ten years of months; beyond that the debt is for a settlement or a court, not for payroll
SHARE = 5  # a fifth, 20 %, of the month's wage


class NothingDeductible(ValueError):
    """The wage does not exceed the minimum wage, so nothing may be taken from it."""


class TooManyInstalments(ValueError):
    """It would take more than `MOST` months."""


@dataclass(frozen=True, kw_only=True)
class Instalment:
    """One month's deduction. `amount`, `remaining` (of the debt, afterwards) and `wage_after` are cents."""

    number: int
    month: str  # "2026-12"
    amount: int
    remaining: int
    wage_after: int


def cents(yuan: int | float | str | Decimal) -> int:
    """Yuan, as a form gives them, in whole cents; half a cent goes to the even one."""
    return int((Decimal(str(yuan)) * 100).quantize(Decimal(1)))


def yuan(amount: int) -> str:
    """Cents as people write yuan: `1,800.00`."""
    sign, amount = ("-" if amount < 0 else ""), abs(amount)
    return f"{sign}{amount // 100:,}.{amount % 100:02d}"


def monthly_cap(wage: int, minimum: int) -> int:
    """The most that may be taken from one month's wage; all cents. Zero when the wage is at or below the minimum."""
    return max(0, min(wage // SHARE, wage - minimum))


def plan(total: int, *, wage: int, minimum: int, first_month: date, wanted: int | None = None) -> list[Instalment]:
    """The instalments for a debt of `total` cents, month by month from `first_month`.

    `wanted` asks for less a month than the law allows; more is cut to what it allows. Raises NothingDeductible,
    TooManyInstalments.
    """
    if total <= 0:
        return []
    cap = monthly_cap(wage, minimum)
    each = min(cap, wanted) if wanted else cap
    if each <= 0:
        raise NothingDeductible(f"wage {wage}, minimum {minimum}")
    if -(-total // each) > MOST:
        raise TooManyInstalments(f"{total} at {each} a month")
    found: list[Instalment] = []
    remaining = total
    while remaining:
        amount = min(remaining, each)
        remaining -= amount
        place = first_month.month - 1 + len(found)
        found.append(
            Instalment(
                number=len(found) + 1,
                month=f"{first_month.year + place // 12:04d}-{place % 12 + 1:02d}",
                amount=amount,
                remaining=remaining,
                wage_after=wage - amount,
            )
        )
    return found
