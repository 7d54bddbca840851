"""What an auditor takes away: cases as XES, OCEL and tables, written piece by piece."""
