"""Every operation of the procedure, from the opening of a case to the expiry of a warning."""

from __future__ import annotations

from processes.discipline import deciding, decision, opening

operations = opening.operations.merged(deciding.operations).merged(decision.operations)
