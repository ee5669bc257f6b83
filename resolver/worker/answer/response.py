"""An answer as it grows on the way from its question: sections, flags, and what it depends on. No octets yet."""

from dataclasses import dataclass, field

from resolver.forward.cache import Key
from resolver.wire import codes
from resolver.worker.answer.answer_cache import FOREVER
from zones.dns.name import Name
from zones.dns.record import RRset


@dataclass(slots=True)
class Draft:
    """An answer as it grows."""

    answer: list[RRset] = field(default_factory=list)
    authority: list[RRset] = field(default_factory=list)
    additional: list[RRset] = field(default_factory=list)
    deps: list[Name] = field(default_factory=list)
    rcode: int = codes.NOERROR
    ede: tuple[int, str] | None = None
    aa: bool | None = None
    """Whether the first record, or the denial where there is none, is ours."""
    ad: bool = True
    zone: Name | None = None
    """The zone that decided last, for labels."""
    origin: str = "forward"
    fallback: tuple[Name, Name] | None = None
    """(zone, name) of a miss inside a zone of ours that an upstream answered."""
    expires: float = FOREVER
    renew: tuple[float, Key] | None = None
    """When to ask what of an upstream before the answer expires, so that the next client does not wait."""
    hops: int = 0
    """CNAMEs and DNAMEs so far."""
    loose: bool = False
    """Anyone can make up questions with such answers."""
    keep: bool = True
    """False for what is right for this one query only."""

    def ours(self, rrsets: tuple[RRset, ...]) -> None:
        """Add records of ours."""
        if self.aa is None:
            self.aa = True
        self.ad = False
        self.answer += rrsets

    def deny(self, soa: RRset, rcode: int) -> None:
        """End in a denial of ours: NXDOMAIN, or NOERROR for no data (RFC 2308 §2)."""
        self.ours(())
        self.authority, self.rcode = [soa], rcode

    def refer(self, ns: RRset, glue: tuple[RRset, ...]) -> None:
        """End in a referral: what is below the cut is not ours to answer for."""
        self.theirs([])
        self.ad = False
        self.authority, self.additional = [ns], list(glue)

    def theirs(self, rrsets: list[RRset]) -> None:
        """Add records of an upstream."""
        if self.aa is None:
            self.aa = False
        self.answer += rrsets

    def fail(self, ede: tuple[int, str] | None, rcode: int = codes.SERVFAIL) -> None:
        """End in an error without records."""
        self.answer, self.authority, self.additional = [], [], []
        self.rcode, self.ede, self.aa, self.ad = rcode, ede, False, False


def error(rcode: int) -> Draft:
    """An answer that is nothing but an rcode, whatever the name."""
    return Draft(rcode=rcode, aa=False, ad=False, origin="error", loose=True)
