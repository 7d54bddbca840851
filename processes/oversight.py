"""What the policy's outcomes mean to an auditor: which of them let something pass, and which send it back."""

from __future__ import annotations

APPROVALS = frozenset(
    {"agree", "approve", "approved", "conditional", "convert", "passed", "passed_with_conditions", "uphold"}
)  # doing or signing one's own part ("ok", "done", "signed") approves nothing
RETURNS = frozenset({"again", "ask_more", "change", "edit", "return", "returned", "revise"})
RETURNED_OFTEN = 3
