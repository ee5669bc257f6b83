"""The command line. Exit codes: 0 fine, 1 error, 2 findings of severity error.

This file owns what happens when a command fails: one clear line on stderr, never a traceback for what a person can
mend. What a command imports is its own: `pldns version` must not load what `pldns check` needs.
"""

import sys
from collections.abc import Sequence


class Failed(Exception):  # noqa: N818 - what happened to the command
    """The command cannot do what was asked; the text is the line that says why."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit status."""
    if (sys.argv[1:] if arguments is None else list(arguments)) == ["version"]:
        return version()
    from typer.exceptions import TyperException  # noqa: PLC0415 - `Failed` is imported by what needs no typer

    from resolver.cli.commands import app  # noqa: PLC0415 - as above

    try:
        return app(arguments, prog_name="pldns", standalone_mode=False) or 0
    except TyperException as error:
        # Not typer's own status 2: that means findings. Without a message, the help was asked for by saying nothing.
        text = error.format_message()
        return _fail(f"{text} (`pldns --help` lists what there is)") if text else 1
    except Failed as error:
        return _fail(str(error))
    except BrokenPipeError:  # the reader had enough
        sys.stderr.close()
        return 1


def version() -> int:
    """Say the version, which must not wait for what the other commands import."""
    from resolver.version import VERSION  # noqa: PLC0415 - for this alone

    sys.stdout.write(f"pldns {VERSION}\n")
    return 0


def _fail(text: str) -> int:
    sys.stderr.write("".join(f"pldns: {line}\n" for line in text.splitlines()))
    return 1
