"""Short constructors of endpoints, networks and ledgers, for the tests of the ledger."""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from msgspec import structs

from zones.azure.catalogue import catalogue
from zones.azure.endpoint import ConnectionState, Endpoint, NicRecord, ResourceId
from zones.claims.policy import ConflictPolicy, Conflicts, Pin
from zones.claims.row import REFUSED, unpack
from zones.clocks import WallTime
from zones.dns.name import from_text, to_text
from zones.findings.board import Board
from zones.findings.evidence import Listed
from zones.findings.finding import Finding
from zones.ledger.carry_over import CarryOver
from zones.ledger.ledger import Ledger
from zones.networks.network import Network, Networks

SUB = "11111111-0000-0000-0000-000000000000"
ARM = "Microsoft.Authorization/resourceManagementPrivateLinks"
FQDN, PRIVATE = "acct.blob.core.windows.net", "acct.privatelink.blob.core.windows.net"
ROW = from_text(PRIVATE)


def vnet_id(name: str) -> ResourceId:
    return ResourceId(f"/subscriptions/{SUB}/resourcegroups/rg/providers/microsoft.network/virtualnetworks/{name}")


def target(name: str, kind: str = "Microsoft.Storage/storageAccounts") -> str:
    return f"/subscriptions/{SUB}/resourceGroups/rg/providers/{kind}/{name}"


def record(fqdn: str, *addresses: int | bytes, private: str | None = None) -> NicRecord:
    packed = (bytes((10, 0, 0, each)) if isinstance(each, int) else each for each in addresses)
    return NicRecord(from_text(fqdn), tuple(packed), private=None if private is None else from_text(private))


def v6(last: int) -> bytes:
    return bytes((0xFD, *bytes(14), last))


def endpoint(key: str, *records: NicRecord, vnet: str = "", **fields: Any) -> Endpoint:  # noqa: ANN401 - many types
    base = {"key": key, "id": f"/ID/{key}", "name": key, "state": ConnectionState.APPROVED, "target": target(key)}
    return Endpoint(
        **{**base, "groups": ("blob",), "vnet": vnet_id(vnet) if vnet else "", "records": records, **fields}
    )


def acct(key: str, last: int, private: str | None = None, **fields: Any) -> Endpoint:  # noqa: ANN401 - many types
    """Return an endpoint with the FQDN that most tests use. `private`: the private name that Azure has."""
    return endpoint(key, record(FQDN, last, private=private), **fields)


def ledger(
    *networks: Network,
    policy: ConflictPolicy = ConflictPolicy.STICKY,
    policies: Mapping[str, ConflictPolicy] | None = None,
    pins: Iterable[Pin] = (),
    memory: CarryOver | None = None,
    hold_down: Mapping[str, float] | None = None,
) -> Ledger:
    conflicts = Conflicts(policy, policies or {}, tuple(pins))
    return Ledger(Networks(networks), catalogue(), conflicts, board(memory), memory, hold_down)


def board(memory: CarryOver | None) -> Board:
    return Board(memory.findings if memory else None)


def put(book: Ledger, *endpoints: Endpoint, now: float = 1) -> set[str]:
    return {to_text(name) for name in book.apply({each.key: each for each in endpoints}, WallTime(now))}


def drop(book: Ledger, *keys: str, now: float = 1) -> set[str]:
    return {to_text(name) for name in book.apply(dict.fromkeys(map(ResourceId, keys)), WallTime(now))}


def answers(book: Ledger, name: str = PRIVATE) -> dict[str, list[int] | str]:
    """Return the last octet of each address by network, or SERVFAIL."""
    out: dict[str, list[int] | str] = {}
    for variant in unpack(book.rows.get(from_text(name), b"")):
        for network in book.networks.listed(book.classes.masks[variant.networks]):
            out[network] = "SERVFAIL" if variant.flags & REFUSED else [a[-1] for a in (*variant.a, *variant.aaaa)]
    return out


def answer(book: Ledger, name: str = PRIVATE) -> list[int] | str | None:
    return answers(book, name).get("default")


def finding_rows(book: Ledger) -> list[tuple[str, str, str, str]]:
    """Return the code, subject, winner and rule of each finding, and assert that ids are unique."""
    facts = list(book.board)
    assert len({fact.id for fact in facts}) == len(facts)
    return sorted((fact.code, fact.subject, fact.winner, fact.rule) for fact in facts)


def shown(evidence: msgspec.Struct) -> dict[str, Any]:
    """Return evidence without its defaults. A list that is cut has its total beside it."""
    out: dict[str, Any] = {}
    for field in structs.fields(type(evidence)):
        value = getattr(evidence, field.name)
        if value != field.default:
            out[field.name] = _shown(value)
            if isinstance(value, Listed) and value.total > len(value.items):
                out[f"{field.name}_total"] = value.total
    return out


def _shown(value: Any) -> Any:  # noqa: ANN401 - any value of evidence
    if isinstance(value, Listed | tuple):
        return [_shown(each) for each in (value.items if isinstance(value, Listed) else value)]
    return shown(value) if isinstance(value, msgspec.Struct) else value


def codes(book: Ledger) -> list[str]:
    return [code for code, *_ in finding_rows(book)]


def one(book: Ledger, code: str) -> Finding:
    (fact,) = (fact for fact in book.board if fact.code == code)
    return fact


def two_spokes() -> tuple[Network, Network]:
    """Return two spoke networks. The hub is visible to both, and neither spoke to the other."""
    return (
        Network("a", ("10.1.0.0/16",), (vnet_id("a"),), (vnet_id("hub"),)),
        Network("b", ("10.2.0.0/16",), (vnet_id("b"),), (vnet_id("hub"),)),
    )


def remembered(ledger: Ledger) -> CarryOver:
    """Return the memory of a ledger after a restart."""
    seen = ledger.snapshot()
    first_seen = {(endpoint, fqdn): time for endpoint, fqdn, time in seen.first_seen()}
    return CarryOver(seen.networks, first_seen, dict(seen.held()), ledger.board.times())
