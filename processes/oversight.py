"""What the policy's outcomes mean to an auditor: which of them let something pass, and which send it back."""

from __future__ import annotations

APPROVALS = frozenset(
    {
        *("agree", "approve", "approved", "conditional", "confirmed", "convert", "issue", "ok", "passed"),
        *("passed_with_conditions", "signed", "uphold"),
    }
)
RETURNS = frozenset({"again", "ask_more", "change", "edit", "return", "returned", "revise"})
RETURNED_OFTEN = 3
