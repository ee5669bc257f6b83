"""The entry point of the command line. Exit status: 0 for success, 1 for an error, 2 for findings of severity error.

A command that fails prints one line on stderr. No mistake that a person can correct ends in a traceback.
Each command imports what it needs when it runs, so that `pldns version` does not load what `pldns check` needs.
"""

import sys
from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return the exit status of the process."""
    if (sys.argv[1:] if arguments is None else list(arguments)) == ["version"]:
        from resolver.cli import version  # noqa: PLC0415 - without typer, which takes longer to load than to run

        return version.run()
    from typer.exceptions import TyperException  # noqa: PLC0415 - as above

    from resolver.cli.commands import app  # noqa: PLC0415 - as above
    from resolver.cli.failure import Failed  # noqa: PLC0415 - as above

    try:
        return app(arguments, prog_name="pldns", standalone_mode=False) or 0
    except TyperException as error:
        # Typer's own status 2 would mean findings here. Without a message, typer has printed the help.
        text = error.format_message()
        return _fail(f"{text} (`pldns --help` lists the commands)") if text else 1
    except Failed as error:
        return _fail(str(error))
    except BrokenPipeError:  # the reader of stdout has closed it, as `head` does
        sys.stderr.close()
        return 1


def _fail(text: str) -> int:
    sys.stderr.write("".join(f"pldns: {line}\n" for line in text.splitlines()))
    return 1
