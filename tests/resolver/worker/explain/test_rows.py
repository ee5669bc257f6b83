"""Every row of the table in docs/answers.md: what is explained is what the wire says, and the row is the right one."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import dns.edns
import dns.message
import dns.rcode
import pytest

from resolver.channel.trace import Row
from tests.conftest import query

if TYPE_CHECKING:
    from tests.conftest import Pipeline

PAGE: Final = Path(__file__).parents[4] / "docs/answers.md"
SETTINGS: Final = """
sources:
  - {name: estate, type: files, path: ./endpoints}
  - {name: late, type: files, path: ./absent}
networks: [{name: spoke, clients: [127.0.1.0/24]}]
dns: {allow: [127.0.0.0/16], drop: {clients: [127.0.66.0/24], names: [ads.example]}}
zones:
  files: [./corp.zone]
  local_reverse: true
  private_only: [only.example]
  overrides: {internal.example: {on_miss: nxdomain}, open.example: {on_miss: public}}
"""
FILES: Final = {
    "endpoints/a.yaml": (
        "endpoints: [{name: one, records: [{fqdn: acct.blob.core.windows.net, ips: [10.1.0.4]}]},"
        " {name: two, records: [{fqdn: db.partner.example, ips: [10.1.0.5]}]}]"
    ),
    "corp.zone": (
        "$ORIGIN corp.test.\n$TTL 60\n@ SOA ns h 1 2 3 4 30\nwww A 192.0.2.9\n*.any A 192.0.2.9\n"
        + "".join(f"c{n} CNAME c{n + 1}\n" for n in range(13))
    ),
}
HERE: Final = "127.0.1.5"


class Asked(NamedTuple):
    """A query, and what its reply begins with: the rcode and the code of the extended error; empty for no reply."""

    row: str
    name: str
    says: str
    type: str = "A"
    client: str = HERE
    options: tuple[str, ...] = ()


QUERIES: Final = (
    Asked("refused early", "www.example", "", options=("response",)),
    Asked("refused early", "www.example", "NOTIMP", options=("opcode=4",)),
    Asked("refused early", "www.example", "BADVERS", options=("version=1",)),
    Asked("refused early", "www.example", "REFUSED", options=("class=HS",)),
    Asked("refused early", "www.example", "FORMERR", options=("questions=2",)),
    Asked("refused early", "www.example", "REFUSED", "AXFR"),
    Asked("access", "www.example", "REFUSED 18", client="192.0.2.1"),
    Asked("access", "www.example", "", client="127.0.66.1"),
    *(Asked("special names", name, "NOERROR") for name in ("health.pldns", "localhost", "resolver.arpa")),
    *(Asked("special names", name, "NXDOMAIN") for name in ("x.invalid", "x.onion")),
    Asked("special names", "version.bind", "NOERROR", "TXT", options=("class=CH",)),
    Asked("zone file", "www.corp.test", "NOERROR"),
    Asked("endpoint alias", "acct.blob.core.windows.net", "NOERROR"),
    Asked("endpoint address", "acct.privatelink.blob.core.windows.net", "NOERROR"),
    Asked("other types", "acct.privatelink.blob.core.windows.net", "NOERROR", "AAAA"),
    Asked("rest of a zone file", "none.corp.test", "NXDOMAIN"),
    Asked("rest of a zone file", "x.any.corp.test", "NOERROR 29"),
    Asked("not ready", "other.blob.core.windows.net", "SERVFAIL 14"),
    Asked("not ready", "x.privatelink.unheard.example", "SERVFAIL 14"),
    Asked("miss policy", "none.internal.example", "NXDOMAIN"),
    Asked("miss policy", "none.open.example", "NOERROR"),
    Asked("pointer", "4.0.1.10.in-addr.arpa", "NOERROR 29", "PTR"),
    Asked("local reverse", "9.9.9.10.in-addr.arpa", "NXDOMAIN", "PTR"),
    Asked("local reverse", "1.10.in-addr.arpa", "NOERROR", "PTR"),
    Asked("upstream", "www.example", "NOERROR"),
    Asked("no network", "db.partner.example", "NOERROR 0", client="127.0.9.9"),
    Asked("dropped names", "x.ads.example", "REFUSED 15"),
    Asked("private only", "x.only.example", "NXDOMAIN 15"),
    Asked("aliases", "c0.corp.test", "SERVFAIL 22"),
)
BESIDE: Final = {"no network": Row.UPSTREAM}
"""Rows that change no record: the row of the table that decides about the records."""


@pytest.fixture
def pldns(build: Callable[..., "Pipeline"]) -> "Pipeline":
    return build(SETTINGS, FILES, {"public": "*. 60 A 192.0.2.80"})


@pytest.mark.parametrize("asked", QUERIES, ids=lambda asked: f"{asked.row}: {asked.name}")
def test_explain_says_what_the_wire_says(pldns: "Pipeline", asked: Asked) -> None:
    packet = query(asked.name, asked.type, *asked.options)
    before = pldns.explain(packet, asked.client)
    row = before.steps[0].row if asked.row == Row.ALIAS else before.row
    assert row == BESIDE.get(asked.row, asked.row)
    reply = pldns.reply(packet, asked.client)
    assert before.message == reply or (before.message is None and before.steps[-1].upstream)
    assert pldns.explain(packet, asked.client).message == reply
    assert said(reply) == asked.says


def said(packet: bytes | None) -> str:
    if packet is None:
        return ""
    message = dns.message.from_wire(packet)
    errors = (f" {option.code:d}" for option in message.options if isinstance(option, dns.edns.EDEOption))
    return dns.rcode.to_text(message.rcode()) + "".join(errors)


def test_every_row_has_a_query() -> None:
    rows = set(re.findall(r"^\| \*\*([a-z ]+)\*\* \|", PAGE.read_text(), re.MULTILINE))
    asked = {asked.row for asked in QUERIES}
    assert rows <= asked
    assert asked == set(Row) | BESIDE.keys()
