"""Tries real resolvers in front of pldns and behind it: `python -m tests.compatibility [--write]`.

Prints two tables. `--write` puts them into docs/compatibility.md. Exit status 1: a reply differs without an explanation
in `explanations.py`. Needs the Debian packages that `.ci/run` installs, and dnsdist. Takes about a minute.
"""

import argparse
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Final

import yaml

from tests.compatibility.explanations import BEHIND, IN_FRONT, Explanations
from tests.compatibility.questions import (
    ALIASES,
    MORE,
    PRIVATE_NAMES,
    PUBLIC,
    PUBLIC_NAMES,
    UNSIGNED,
    Answer,
    Question,
    ask,
)
from tests.compatibility.resolvers import PRODUCTS, RESOLVERS, version
from tests.live.daemon import Daemon
from tests.live.forwarders import Site, answering, printed
from tests.live.programs import running
from tests.live.signed_zones import nsd, signed
from tests.paths import ROOT
from tests.ports import free_port

PAGE: Final = ROOT / "docs/compatibility.md"
EXAMPLE: Final = ROOT / "examples/hub-spoke"
Asked = Callable[[Question], Answer]
Row = tuple[str, dict[str, str]]
"""A question, and what is in the column of each resolver."""


@contextmanager
def pldns(folder: Path, upstream: int) -> Iterator[Daemon]:
    """Run pldns with the example estate and one upstream server."""
    shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns("state"))
    (folder / "static/more.zone").write_text(MORE)
    wanted = yaml.safe_load((EXAMPLE / "pldns.yaml").read_text())
    settings = {key: wanted[key] for key in ("sources", "networks", "zones")}
    daemon = Daemon(folder, {**settings, "upstreams": {"public": {"servers": [f"udp://127.0.0.1:{upstream}"]}}})
    daemon.start()
    try:
        yield daemon.ready()
    finally:
        daemon.stop()


@contextmanager
def resolver(name: str, site: Site) -> Iterator[int]:
    """Run a resolver and return its port."""
    site.folder.mkdir()
    with running(*RESOLVERS[name][1](site), log=site.folder / "log"):
        answering(site.port)
        yield site.port


def compared(
    questions: Sequence[Question], right: Callable[[str], Asked], tried: dict[str, Asked], known: Explanations
) -> tuple[list[Row], list[str]]:
    """Return the rows of a table, and the differences without an explanation."""
    rows: list[Row] = []
    unexplained = []
    for question in questions:
        cells = {}
        for name, asked in tried.items():
            expected, found = right(name)(question), asked(question)
            assert expected.rcode in {"NOERROR", "NXDOMAIN"} or "ANY" in question.what, (name, question, expected)
            note = known.get((name, question.what), "")
            if found == expected:
                cells[name] = "same"
            else:
                cells[name] = note or "DIFFERS"
                if not note:
                    unexplained.append(f"{name}, {question.what}: {found} instead of {expected}")
        rows.append((question.what, cells))
    return rows, unexplained


def table(title: str, rows: Sequence[Row]) -> str:
    """Return a table in Markdown. Explanations become notes below it, numbered in the order of the table."""
    columns = list(rows[0][1])
    notes: dict[str, int] = {}
    lines = [
        f"| {title} | {' | '.join(f'{name} {version(name)}' for name in columns)} |",
        "|---" * (len(columns) + 1) + "|",
    ]
    for what, cells in rows:
        shown = [
            text if (text := cells[name]) in {"same", "DIFFERS"} else f"note {notes.setdefault(text, len(notes) + 1)}"
            for name in columns
        ]
        lines.append(f"| {what} | {' | '.join(shown)} |")
    return "\n".join([*lines, "", *(f"{number}. {text}" for text, number in notes.items())])


def main() -> int:
    """Try all resolvers, print the tables, and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.compatibility", description=__doc__)
    parser.add_argument("--write", action="store_true", help=f"put the tables into {PAGE.name}")
    write = parser.parse_args().write
    root = signed(".", PUBLIC, nsec3=False)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pldns-compatibility-")))
        public = free_port()
        stack.enter_context(nsd(folder / "nsd", public, {".": root.text, **UNSIGNED}))
        daemon = stack.enter_context(pldns(folder / "pldns", public))
        front: dict[str, Asked] = {}
        upstreams: dict[str, Asked] = {"NSD": partial(ask, public)}
        behind: dict[str, Asked] = {"NSD": partial(ask, daemon.port)}
        for name in RESOLVERS:
            text = printed(PRODUCTS[name], daemon.path, daemon.port) if name in PRODUCTS else ""
            site = Site(folder / f"{name} in front", free_port(), daemon.port, root.ds, text)
            front[name] = partial(ask, stack.enter_context(resolver(name, site)))
            site = Site(folder / f"{name} behind", free_port(), public, root.ds, "")
            upstreams[name] = partial(ask, stack.enter_context(resolver(name, site)))
            over = stack.enter_context(pldns(folder / f"pldns over {name}", site.port))
            behind[name] = partial(ask, over.port)
        direct = partial(ask, daemon.port)
        everything = [*PRIVATE_NAMES, *ALIASES, *PUBLIC_NAMES]
        in_front, missing = compared(everything, lambda _: direct, front, IN_FRONT)
        upstream, missing_upstream = compared(PUBLIC_NAMES, upstreams.__getitem__, behind, BEHIND)
        aliases, missing_aliases = compared(ALIASES, lambda _: direct, behind, BEHIND)
    tables = "\n\n".join((
        table("In front of pldns", in_front), table("Behind pldns, as its upstream server", [*upstream, *aliases]),
    ))  # fmt: skip
    sys.stdout.write(f"{tables}\n")
    if write:
        page = PAGE.read_text()
        PAGE.write_text(re.sub(r"(<!-- tables -->\n).*(?=<!-- end -->)", rf"\1\n{tables}\n\n", page, flags=re.DOTALL))
    for line in [*missing, *missing_upstream, *missing_aliases]:
        sys.stderr.write(f"{line}\n")
    return 1 if missing or missing_upstream or missing_aliases else 0


if __name__ == "__main__":
    sys.exit(main())
