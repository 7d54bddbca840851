"""The PDF dossier of a case: what an auditor takes away on paper, with the machine-readable one inside."""

from web.dossier.make import make

__all__ = ["make"]
