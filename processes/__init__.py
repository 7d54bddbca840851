"""The policy: what diagrams may call, the company, the registers. `web` and the command line begin here.

`build_engine` wires the policy into an engine; `load_demo` and `play_demo` fill a database with the demo company.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any

from engine import Clock, Database, Engine, House, Operations
from engine.personal import Keyring
from processes import organisation, term_rules
from processes.account_deregistration.operations import operations as account_deregistration
from processes.account_handover.operations import operations as account_handover
from processes.account_registration.operations import operations as account_registration
from processes.complaint.catalogue import operations as complaint
from processes.complaint.seal import Seal
from processes.content_review.marking import marked_text, requirements_told, tier_told, version_difference
from processes.content_review.operations import operations as content_review
from processes.content_review.versions import voter as approver_of
from processes.controls import CONTROLS
from processes.credential_rotation.operations import operations as credential_rotation
from processes.demo.company import DEMO_LOGINS, DEMO_PASSWORD, groups, is_demo_loaded, load_demo
from processes.demo.play import is_demo_played, play_demo
from processes.diagram_change.operations import operations as diagram_change
from processes.discipline.operations import operations as discipline
from processes.group_vote.operations import operations as group_vote
from processes.group_vote.voting import vote_decided
from processes.interaction.operations import operations as interaction
from processes.official_monitor.operations import operations as official_monitor
from processes.personal_erasure.operations import operations as personal_erasure
from processes.publish_followup.operations import operations as publish_followup
from processes.recurring import schedules
from processes.registers.books import READERS
from processes.takedown.operations import operations as takedown
from processes.training_signoff.operations import operations as training_signoff

__all__ = [
    "DEMO_LOGINS",
    "DEMO_PASSWORD",
    "FUNCTIONS",
    "build_engine",
    "catalogue",
    "house",
    "is_demo_loaded",
    "is_demo_played",
    "load_demo",
    "play_demo",
    "schedules",
]

FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "vote_decided": vote_decided,
    "marked_text": marked_text,
    "requirements_told": requirements_told,
    "tier_told": tier_told,
    "version_difference": version_difference,
    "approver_of": approver_of,
}
TABLES = {term_rules.NAME: term_rules.problems}
DIRECTORY_FUNCTIONS = frozenset({"dept_head", "superior", "dept_confirmer", "staffed", "first_staffed", "staff_of"})


def catalogue() -> Operations:
    """Every operation a service task may name."""
    known = account_registration
    for more in (
        account_deregistration,
        account_handover,
        complaint,
        content_review,
        credential_rotation,
        diagram_change,
        discipline,
        group_vote,
        interaction,
        official_monitor,
        personal_erasure,
        publish_followup,
        takedown,
        training_signoff,
    ):
        known = known.merged(more)
    return known


def build_engine(
    db: Database, *, clock: Clock | None = None, seal_key: str | None = None, personal_key: str | None = None
) -> Engine:
    """An engine that knows this policy. `seal_key` opens identities, `personal_key` wraps the keys of personal data;
    both by default the environment's."""
    return Engine(
        db,
        operations=catalogue(),
        functions=FUNCTIONS,
        directory_functions=organisation.directory_functions,
        schedules=schedules,
        controls=CONTROLS,
        registers=READERS,
        tables=TABLES,
        sealer=Seal(seal_key or os.environ.get("GUIJU_SEAL_KEY")),
        personal=Keyring(personal_key or os.environ.get("GUIJU_PERSONAL_KEY", "")),
        clock=clock,
    )


def house() -> House:
    """What the gate may take for granted without a database: our operations and functions, the shipped groups."""
    return House(
        groups=groups(),
        operations=catalogue().infos,
        functions=frozenset(FUNCTIONS),
        directory_functions=DIRECTORY_FUNCTIONS,
        controls=CONTROLS,
        tables=TABLES,
    )
