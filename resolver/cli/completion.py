"""What a shell offers when a person presses Tab: commands, options, and the values of an option or argument.

The shell runs the same command line with the variable `_PLDNS_COMPLETE`, up to the unfinished word. Each line of the
output is a value; a tab and a description may follow. No line means file names (`completion_scripts`). Prints no error.
"""

import contextlib
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption
from typer.main import get_command

from resolver.cli import known_names
from resolver.cli.commands import app
from resolver.cli.failure import Failed
from resolver.cli.known_names import Daemon

_HELP_OPTION: Final = "--help", "Show this message and exit"
_HELP_COMMAND: Final = "help"


class Candidate(NamedTuple):
    """A value, and what it means; empty where that is obvious."""

    value: str
    meaning: str = ""


def run(words: Sequence[str]) -> int:
    """Print what fits after these words, of which the last one is unfinished and may be empty; return 0."""
    with contextlib.suppress(Failed, OSError, ValueError, LookupError):
        for value, meaning in candidates(words):
            sys.stdout.write(f"{value}\t{meaning}\n" if meaning else f"{value}\n")
    return 0


def candidates(words: Sequence[str]) -> list[Candidate]:
    """Return what fits after these words. Raises `Failed` where the address of the daemon is not known."""
    *before, last = words or [""]
    at = _Place(get_command(app))
    for word in before:
        at.pass_over(word)
    # bash splits `--code=name` into three words, other shells do not.
    prefix, last = ("", "") if last == "=" else at.within(last)
    return [Candidate(prefix + each.value, each.meaning) for each in at.fitting(last) if each.value.startswith(last)]


class _Place:
    """A place in a command line: the command so far, and the option whose value is next."""

    def __init__(self, command: object) -> None:
        self._command = command
        self._option: TyperOption | None = None
        self._arguments = 0
        self._given: dict[str, str] = {}
        """Values of options by the name of their parameter."""

    def pass_over(self, word: str) -> None:
        """Move behind a finished word."""
        if word == "=":
            return
        if self._option:
            self._given[self._option.name], self._option = word, None
        elif word.startswith("-"):
            flag, mark, value = word.partition("=")
            found = self._options.get(flag)
            if found and mark:
                self._given[found.name] = value
            elif found and not found.is_flag:
                self._option = found
        elif isinstance(self._command, TyperGroup):
            if word != _HELP_COMMAND:  # its arguments are commands
                self._command = self._command.commands.get(word)
        else:
            self._arguments += 1

    def within(self, word: str) -> tuple[str, str]:
        """Return the part of an unfinished word before the value, such as `--code=`, and the value."""
        flag, mark, value = word.partition("=")
        if self._option is None and mark and flag in self._options:
            self._option = self._options[flag]
            return flag + mark, value
        return "", word

    def fitting(self, word: str) -> Iterator[Candidate]:
        """Yield what can be here, if the unfinished word is `word`."""
        if self._option:
            yield from self._values(self._option)
        elif word.startswith("-"):
            for flag, option in self._options.items():
                if flag.startswith("--") and (option.multiple or option.name not in self._given):
                    yield Candidate(flag, (option.help or "").partition(". ")[0])
            yield Candidate(*_HELP_OPTION)
        elif isinstance(self._command, TyperGroup):
            for name, command in self._command.commands.items():
                if not command.hidden:
                    yield Candidate(name, command.get_short_help_str(70))
        elif isinstance(self._command, TyperCommand):
            taken = [each for each in self._command.params if isinstance(each, TyperArgument)]
            for argument in taken[self._arguments : self._arguments + 1] or [each for each in taken if each.nargs < 0]:
                yield from self._values(argument)

    @property
    def _options(self) -> dict[str, TyperOption]:
        parameters = self._command.params if isinstance(self._command, TyperCommand | TyperGroup) else ()
        return {flag: each for each in parameters if isinstance(each, TyperOption) for flag in each.opts}

    def _values(self, parameter: TyperOption | TyperArgument) -> Iterator[Candidate]:
        for choice in parameter.type_descriptor.choices or ():
            yield Candidate(str(choice))
        config = self._given.get("config")
        daemon = Daemon(self._given.get("admin"), Path(config).expanduser() if config else None, os.environ)
        yield from map(Candidate, known_names.of(parameter.name, parameter.metavar or "", daemon))
