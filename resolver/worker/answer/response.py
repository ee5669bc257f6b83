"""A response while it is made: its records, its flags, and the names that it depends on. No octets yet."""

from dataclasses import dataclass, field
from enum import StrEnum

from resolver.forward.cache import Key
from resolver.wire import codes
from resolver.worker.answer.compiled import FOREVER, Compiled
from zones.clocks import SteadyTime
from zones.dns.name import Name
from zones.dns.record import RRset
from zones.table.outcome import DataOrigin


class ReplyOrigin(StrEnum):
    """Where an answer comes from that the served data does not give.

    With `DataOrigin`, these are the values of the label `origin` of `dns_responses_total`.
    """

    PUBLIC = "public"
    """An upstream, for a name inside a private zone that has no endpoint."""
    FORWARD = "forward"
    """An upstream, for any other name."""
    LOCAL = "local"
    """A special name."""
    DROPPED = "dropped"
    """A name that the configuration refuses."""
    ERROR = "error"
    """A question that is never answered."""


@dataclass(slots=True)
class Draft:
    """A response while it is made."""

    answer: list[RRset] = field(default_factory=list)
    authority: list[RRset] = field(default_factory=list)
    additional: list[RRset] = field(default_factory=list)
    proofs: tuple[RRset, ...] = ()
    """NSEC, NSEC3 and signatures for aliases that a wildcard made, from replies that the chain has left."""
    shape: type[Compiled] = Compiled
    """`Supplemented` if a client can do without the additional section."""
    deps: list[Name] = field(default_factory=list)
    rcode: int = codes.NOERROR
    ede: tuple[int, str] | None = None
    aa: bool | None = None
    """Whether the first record, or the denial where there is none, is served data; None before either is known."""
    served: bool = False
    """Whether any record, or the denial, is served data."""
    ad: bool = True
    zone: Name | None = None
    """The zone that decided last, for the label."""
    origin: DataOrigin | ReplyOrigin = ReplyOrigin.FORWARD
    fallback: tuple[Name, Name] | None = None
    """(zone, name) of a name inside a private zone that an upstream answered."""
    unmatched: tuple[Name, Name] | None = None
    """(zone, name) of a name that an endpoint has and that a client in no network asks for. See `Table.held_zone`."""
    expires: SteadyTime = FOREVER
    prefetch: tuple[SteadyTime, Key] | None = None
    """When to ask an upstream which question again, so that no client waits when the answer has expired."""
    hops: int = 0
    """CNAMEs and DNAMEs so far."""
    expendable: bool = False
    """Clients can invent questions with such answers without end."""
    keep: bool = True
    """False for an answer to this one query only."""

    def add_served(self, rrsets: tuple[RRset, ...]) -> None:
        """Add records of the served data."""
        if self.aa is None:
            self.aa = True
        self.served, self.ad = True, False
        self.answer += rrsets

    def deny(self, soa: RRset, rcode: int) -> None:
        """End in a denial by the served data: NXDOMAIN, or NOERROR for no data (RFC 2308 §2)."""
        self.add_served(())
        self.authority, self.rcode = [soa], rcode

    def refer(self, ns: RRset, glue: tuple[RRset, ...]) -> None:
        """End in a referral to the servers of a child zone."""
        self.add_fetched([])
        self.ad = False
        self.authority, self.additional = [ns], list(glue)

    def add_fetched(self, rrsets: list[RRset]) -> None:
        """Add records of an upstream."""
        if self.aa is None:
            self.aa = False
        self.answer += rrsets

    def prove(self) -> None:
        """Add to the authority section the proofs that it lacks."""
        held = {(rrset.owner.lower(), rrset.type, rrset.rdatas) for rrset in self.authority}
        for rrset in self.proofs:
            key = rrset.owner.lower(), rrset.type, rrset.rdatas
            if key not in held:
                held.add(key)
                self.authority.append(rrset)

    def fail(self, ede: tuple[int, str] | None, rcode: int = codes.SERVFAIL) -> None:
        """End in an error without records."""
        self.answer, self.authority, self.additional, self.proofs = [], [], [], ()
        self.shape = Compiled
        self.rcode, self.ede, self.aa, self.ad = rcode, ede, False, False


def error(rcode: int) -> Draft:
    """Return a response that is only an rcode."""
    return Draft(rcode=rcode, aa=False, ad=False, origin=ReplyOrigin.ERROR, expendable=True)
