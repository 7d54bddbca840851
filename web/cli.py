"""The `guiju` command. What each subcommand does stands in the modules beside this one.

Exit status: 0 done; 1 the answer is no (a problem found, a scenario failed, a chain broken, a refusal); 2 usage.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click

from web import cli_backup, cli_company, cli_design, cli_evidence, cli_export, cli_privacy, cli_server
from web.cli_text import Tongue, fail, tongue


def build(t: Tongue) -> click.Group:
    """The command with its help in one language."""

    @click.group(
        name="guiju",
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
        help=t(
            "规矩：流程图怎么画，公司就怎么办；每一步都有据可查。",
            "Guiju: the company does as the diagram says, and can prove every step.",
        ),
    )
    @click.version_option(package_name="guiju", message="guiju %(version)s")
    def guiju() -> None:
        pass

    for module in (cli_server, cli_backup, cli_company, cli_design, cli_evidence, cli_export, cli_privacy):
        module.add(guiju, t)
    return guiju


def main(arguments: Sequence[str] | None = None) -> None:
    """Entry point of the console script."""
    from engine.errors import GuijuError

    t = tongue()
    try:
        build(t).main(args=list(arguments) if arguments is not None else None, prog_name="guiju")
    except GuijuError as error:
        fail(t.of(error.message))
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
