"""The registers as pages and exports show them: what each is called, its fields and words, and who reads it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from engine import Readers
from processes.registers import account, complaint, content, credential, phrase, sanction, training

Text = Mapping[str, str]
EVERYBODY = Readers(groups=frozenset({"employee"}))


@dataclass(frozen=True, kw_only=True)
class Book:
    """One register. `heading` names a row and `columns` are shown in lists; `persons`, `departments` and `accounts` are
    fields that hold ids; `words` tells coded values of other fields than the status."""

    name: str
    title: Text
    titles: Mapping[str, Text]
    statuses: Mapping[str, Text]
    heading: str
    columns: tuple[str, ...]
    readers: Readers
    persons: tuple[str, ...] = ()
    departments: tuple[str, ...] = ()
    words: Mapping[str, Mapping[str, Text]] = field(default_factory=dict)
    icon: str = "document-text"


_KEEPERS = frozenset({"marketing", "legal", "mgmt_group", "admin", "customer_service", "internal_audit"})
_ANSWERED = """account_id kind viral text link owner owners first_reply_minutes resolve_hours reply phrase replied_by
replied_at checked_by escalate_to received_at status status_reason case_no"""
_TAKEN_DOWN = """account_id content_no url reason description decision decided_by basis removed_by removed_at
verified_by corrected_text evidence received_at status status_reason case_no"""


def _of_content(names: str) -> dict[str, Text]:
    return {name: content.TITLES[name] for name in names.split()}


def _submitted() -> dict[str, Text]:
    """The fields of a submission: what the two other registers have of their own comes after them."""
    names = list(content.TITLES)
    return {name: content.TITLES[name] for name in names[: names.index("account_id")]}


BOOKS: dict[str, Book] = {
    book.name: book
    for book in (
        Book(
            name=account.ACCOUNT,
            title={"zh-CN": "账号台账", "en": "Accounts"},
            titles=account.TITLES,
            statuses=account.STATUSES,
            heading="name",
            columns=("platform", "dept", "responsible"),
            readers=EVERYBODY,
            persons=(
                "responsible",
                "backup",
                "real_name_admin",
                "undertaking_signed_by",
                "authorised_users",
                "closing_revoked_by",
            ),
            departments=("dept", "using_dept"),
            words={
                "risk": {
                    "low": {"zh-CN": "低", "en": "Low"},
                    "medium": {"zh-CN": "中", "en": "Medium"},
                    "high": {"zh-CN": "高", "en": "High"},
                }
            },
        ),
        Book(
            name=content.CONTENT,
            title={"zh-CN": "内容台账", "en": "Content"},
            titles=_submitted(),
            statuses=content.STATUSES,
            heading="title",
            columns=("tier", "authors", "published_at"),
            readers=Readers(groups=_KEEPERS, own=("authors",), by_case=True),
            persons=("authors", "approved_by", "published_by"),
            words={"tier": content.TIERS},
        ),
        Book(
            name=content.INTERACTION,
            title={"zh-CN": "互动台账", "en": "Interactions"},
            titles=_of_content(_ANSWERED),
            statuses=content.STATUSES,
            heading="case_no",
            columns=("account_id", "kind", "replied_at"),
            readers=Readers(groups=_KEEPERS, own=("owners",), by_case=True),
            persons=("owners", "replied_by", "checked_by"),
        ),
        Book(
            name=content.TAKEDOWN,
            title={"zh-CN": "下架台账", "en": "Takedowns"},
            titles=_of_content(_TAKEN_DOWN),
            statuses=content.STATUSES,
            heading="case_no",
            columns=("account_id", "reason", "decision"),
            readers=Readers(groups=_KEEPERS, by_case=True),
            persons=("decided_by", "removed_by", "verified_by"),
        ),
        Book(
            name=phrase.PHRASE,
            title={"zh-CN": "话术库", "en": "Reply phrases"},
            titles=phrase.TITLES,
            statuses=phrase.STATUSES,
            heading="title",
            columns=("text", "account_ids", "in_use_since"),
            readers=EVERYBODY,
            persons=("approved_by",),
        ),
        Book(
            name=complaint.COMPLAINT,
            title={"zh-CN": "投诉台账", "en": "Complaints"},
            titles=complaint.TITLES,
            statuses=complaint.STATUSES,
            heading="case_no",
            columns=("category", "priority", "lead", "finding"),
            readers=Readers(groups=frozenset({"internal_audit"}), by_case=True),
            persons=("respondent", "lead", "second"),
            words={"finding": complaint.FINDINGS},
        ),
        Book(
            name=sanction.SANCTION,
            title={"zh-CN": "处分台账", "en": "Sanctions"},
            titles=sanction.TITLES,
            statuses=sanction.STATUSES,
            heading="case_no",
            columns=("respondent", "sanction", "decided_on"),
            readers=Readers(groups=frozenset({"hr", "internal_audit"}), own=("respondent",), by_case=True),
            persons=("respondent", "approved_by"),
            departments=("dept",),
            words=sanction.WORDS,
        ),
        Book(
            name=training.TRAINING,
            title={"zh-CN": "培训签收台账", "en": "Training"},
            titles=training.TITLES,
            statuses=training.STATUSES,
            heading="person",
            columns=("department", "completed_on", "valid_until"),
            readers=Readers(groups=frozenset({"hr", "admin", "dept_head", "internal_audit"}), own=("person",)),
            persons=("person",),
            departments=("department",),
        ),
        Book(
            name=credential.CREDENTIAL,
            title={"zh-CN": "凭证台账", "en": "Credentials"},
            titles=credential.TITLES,
            statuses=credential.STATUSES,
            heading="name",
            columns=("platform", "responsible", "rotated_on", "next_due"),
            readers=Readers(groups=frozenset({"vault_admin", "admin", "internal_audit"}), own=("responsible",)),
            persons=("responsible", "rotated_by"),
        ),
    )
}
READERS: dict[str, Readers] = {name: book.readers for name, book in BOOKS.items()}
