"""The process that takes one file apart: `child.py office|pdf`, the file on standard input, the clean one on output.

Run alone (`python -I`), with bounds on memory and time, so that whatever hides in a file harms nothing else. Exit code
2: damaged, 3: holds what cannot be cleaned, 4: too large.
"""

from __future__ import annotations

import importlib
import resource
import sys
from pathlib import Path

MEMORY = 1024 * 1024 * 1024  # bytes
SECONDS = 20  # of the processor


def main(kind: str) -> int:
    """Clean what comes in; the exit code."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    sys.path.insert(0, str(Path(__file__).parent))  # alone: the packages around this one are not loaded
    pictures, cleaner = importlib.import_module("pictures"), importlib.import_module(kind)
    try:
        made = cleaner.cleaned(sys.stdin.buffer.read(), pictures.cleaned)
    except (MemoryError, pictures.TooLarge, getattr(cleaner, "TooLarge", MemoryError)):
        return 4
    except getattr(cleaner, "Refused", MemoryError):
        return 3
    except ValueError:
        return 2
    sys.stdout.buffer.write(made)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
