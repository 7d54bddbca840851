"""How often one source may try something, counted in the database so that every node counts the same tries.

No address is kept. A row is a number of tries in one window of time for one of 2²⁰ *buckets*: an address is put in its
bucket by a keyed digest that is another one in every window. Some 4,096 IPv4 addresses share a bucket, so that even
with the key a row is far from naming one, and rows of two windows cannot be joined. Rows of windows that are over are
deleted by the next try.
"""

from __future__ import annotations

import hmac
import ipaddress
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from limits import RateLimitItem
from sqlalchemy.engine import Connection

from engine import Engine

BUCKET_BITS = 20
_counters = sa.table("counters", sa.column("name", sa.String), sa.column("value", sa.Integer))
_COUNT = sa.text(
    "INSERT INTO counters (name, value) VALUES (:name, 1) "
    "ON CONFLICT (name) DO UPDATE SET value = counters.value + 1 RETURNING value"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Rates:
    """Counts tries. `key` is the nodes' common secret."""

    engine: Engine
    key: bytes

    def hit(self, rates: Iterable[RateLimitItem], what: str, source: str) -> bool:
        """Count one try of `what` by `source` under every rate; False when one of them was used up already.

        Refused tries are not counted: whoever waits for the window to end may go on, and a flood writes nothing.
        """
        windows = [(rate.amount, self._row(rate.get_expiry(), what, source)) for rate in rates]
        if self._full(windows):
            return False

        def work(connection: Connection) -> bool:
            self._forget(connection)
            counts = [(connection.execute(_COUNT, {"name": name}).scalar_one(), most) for most, name in windows]
            return all(count <= most for count, most in counts)

        return self.engine.db.write(work)

    def forgive(self, rates: Iterable[RateLimitItem], what: str, source: str) -> None:
        """Take back one try that turned out to be right."""
        names = [self._row(rate.get_expiry(), what, source) for rate in rates]
        mine = _counters.c.name.in_(names)
        self.engine.db.write(
            lambda connection: connection.execute(
                sa.update(_counters).where(mine, _counters.c.value > 0).values(value=_counters.c.value - 1)
            )
        )

    def _full(self, windows: Sequence[tuple[int, str]]) -> bool:
        with self.engine.db.read() as connection:
            query = sa.select(_counters).where(_counters.c.name.in_([name for _most, name in windows]))
            used = {row.name: row.value for row in connection.execute(query)}
        return any(used.get(name, 0) >= most for most, name in windows)

    def _row(self, seconds: int, what: str, source: str) -> str:
        """The row's name: when its window ends, how long it is, what is counted, the bucket."""
        ends = (int(self.engine.now().timestamp()) // seconds + 1) * seconds
        given = f"{ends} {seconds} {what} {_network(source)}".encode()
        bucket = int.from_bytes(hmac.digest(self.key, given, "sha256")[:4], "big") >> (32 - BUCKET_BITS)
        return f"rate/{ends:012d}/{seconds}/{what}/{bucket:05x}"

    def _forget(self, connection: Connection) -> None:
        now = int(self.engine.now().timestamp())
        over = sa.and_(_counters.c.name >= "rate/", _counters.c.name < f"rate/{now:012d}")
        connection.execute(sa.delete(_counters).where(over))


def _network(source: str) -> str:
    """What one subscriber has: an IPv4 address, or the first 64 bits of an IPv6 address. Anything else as it is."""
    try:
        address = ipaddress.ip_address(source)
    except ValueError:
        return source
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((address, 64), strict=False))
    return source
