"""The PDF dossier of a case: what an auditor takes away on paper, with the machine-readable one inside."""

from web.dossier.contents import Contents, collect
from web.dossier.paper import pdf

__all__ = ["Contents", "collect", "pdf"]
