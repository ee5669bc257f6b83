"""Writes the man pages from the commands: `python -m resolver.cli.manual DIRECTORY`, for packages.

There is one page for pldns and one for each command, with the text of `--help`. Does not know where systems keep pages.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from typer.core import TyperCommand, TyperGroup, TyperOption
from typer.main import get_command

from resolver.cli.commands import app
from resolver.version import VERSION

_STATUS: Final = "0: success. 1: an error. 2: a finding is an error, or what the command describes above."


def pages() -> dict[str, str]:
    """Return the text of each page in the form of man(7), by file name, such as `pldns-serve.1`."""
    top = get_command(app)
    assert isinstance(top, TyperGroup)  # noqa: S101 - the app has more than one command
    commands = dict(_commands("pldns", top))
    return {"pldns.1": _overview(top, commands)} | {
        f"{name.replace(' ', '-')}.1": _page(name, command) for name, command in commands.items()
    }


def _commands(prefix: str, group: TyperGroup) -> Iterator[tuple[str, TyperCommand]]:
    for name, command in sorted(group.commands.items()):
        if isinstance(command, TyperGroup):
            yield from _commands(f"{prefix} {name}", command)
        elif isinstance(command, TyperCommand):
            yield f"{prefix} {name}", command


def _overview(top: TyperGroup, commands: dict[str, TyperCommand]) -> str:
    lines = [*_head("pldns", top.help or ""), ".SH SYNOPSIS", r".B pldns", r"\fICOMMAND\fR [\fIOPTIONS\fR]"]
    lines.append(".SH COMMANDS")
    for name, command in commands.items():
        lines += [".TP", rf"\fB{_plain(name)}\fR(1)", _plain(_summary(command))]
    lines += [".SH FILES", ".TP", _plain("/etc/pldns/pldns.yaml"), "The configuration."]
    lines += [".TP", _plain("/var/lib/pldns"), "What pldns keeps over restarts."]
    lines += [".SH EXIT STATUS", _plain(_STATUS)]
    return _text(lines)


def _argument(name: str, is_required: bool) -> str:
    word = rf"\fI{_plain(name)}\fR"
    return word if is_required else f"[{word}]"


def _page(name: str, command: TyperCommand) -> str:
    arguments = [each for each in command.params if not isinstance(each, TyperOption)]
    options = [each for each in command.params if isinstance(each, TyperOption) and not each.hidden]
    words = [_argument(each.metavar or (each.name or "").upper(), each.required) for each in arguments]
    lines = [*_head(name.replace(" ", "-"), _summary(command)), ".SH SYNOPSIS", rf".B {_plain(name)}"]
    lines.append(" ".join([r"[\fIOPTIONS\fR]", *words]))
    lines.append(".SH DESCRIPTION")
    for paragraph in (command.help or "").split("\n\n"):
        lines += [".PP", _plain(" ".join(paragraph.split()))]
    if options:
        lines.append(".SH OPTIONS")
    for option in options:
        flags = ", ".join(rf"\fB{_plain(flag)}\fR" for flag in option.opts)
        value = "" if option.is_flag else rf" \fI{_plain(option.metavar or (option.name or '').upper())}\fR"
        lines += [".TP", flags + value, _plain(option.help or "")]
    lines += [".SH EXIT STATUS", _plain(_STATUS), ".SH SEE ALSO", r"\fBpldns\fR(1)"]
    return _text(lines)


def _head(name: str, summary: str) -> list[str]:
    return [
        rf'.TH {_plain(name.upper())} 1 "" "pldns {_plain(VERSION)}" "pldns"',
        ".SH NAME",
        rf"{_plain(name)} \- {_plain(summary.rstrip('.'))}",
    ]


def _summary(command: TyperCommand) -> str:
    return " ".join((command.help or "").split("\n\n")[0].split())


def _plain(text: str) -> str:
    """Return the text with nothing in it that man(7) treats as a command."""
    escaped = text.replace("\\", r"\e").replace("-", r"\-")
    return rf"\&{escaped}" if escaped.startswith((".", "'")) else escaped


def _text(lines: list[str]) -> str:
    return "\n".join(lines) + "\n"


def main(directory: Path) -> None:
    """Write all pages into the directory, which exists."""
    for name, text in pages().items():
        (directory / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
