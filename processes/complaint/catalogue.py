"""Every operation of complaints in one catalogue."""

from __future__ import annotations

from processes.complaint import investigation, outcome
from processes.complaint.operations import operations as intake
from processes.identity_access.operations import operations as identity_access

operations = intake.merged(investigation.operations).merged(outcome.operations).merged(identity_access)
