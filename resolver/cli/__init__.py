"""The entry point of the command line. Exit status: 0 for success, 1 for an error, 2 for findings of severity error.

A command that fails prints one line on stderr. No mistake that a person can correct ends in a traceback.
Each command imports what it needs when it runs, so that `pldns version` does not load what `pldns check` needs.
"""

import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from typer.exceptions import TyperException

COMPLETE: Final = "_PLDNS_COMPLETE"
"""The variable with which a shell asks for completion."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return the exit status of the process."""
    words = sys.argv[1:] if arguments is None else list(arguments)
    if words in (["version"], ["--version"]):
        from resolver.cli import version  # noqa: PLC0415 - without typer, which takes longer to load than to run

        return version.run()
    if COMPLETE in os.environ:
        from resolver.cli import completion  # noqa: PLC0415 - only for a shell

        return completion.run(words)
    from typer.exceptions import TyperException  # noqa: PLC0415 - as above

    from resolver.cli.commands import app  # noqa: PLC0415 - as above
    from resolver.cli.failure import Failed  # noqa: PLC0415 - as above

    try:
        return app(words, prog_name="pldns", standalone_mode=False) or 0
    except TyperException as error:
        # Typer's own status 2 would mean findings here. Without a message, typer has printed the help.
        return _fail(_usage(error)) if error.format_message() else 1
    except Failed as error:
        return _fail(str(error))
    except BrokenPipeError:  # the reader of stdout has closed it, as `head` does
        sys.stderr.close()
        return 1


def _usage(error: "TyperException") -> str:
    """Return typer's message in the form of all errors, with the command that helps."""
    text = error.format_message().strip().rstrip(".").replace(". Did you mean", "; did you mean").replace("\n\t", " ")
    context = getattr(error, "ctx", None)
    command = context.command_path if context else "pldns"
    return f"{text[:1].lower()}{text[1:]} (see `{command} --help`)"


def _fail(text: str) -> int:
    sys.stderr.write("".join(f"pldns: {line}\n" for line in text.splitlines()))
    return 1
