"""Answers of siblings: to a question that differs in nothing but its first label from one that was answered.

The endpoints of a zone are much alike: one address each, the same zone, the same networks. What the answer of one looks
like around its label and its address is a `Shape`; a sibling's answer is made from that and the sibling's row, without
parsing, walking and rendering. A shape holds as long as the answer that it was taken from: what would make another
answer of all siblings evicts that one, too. What may set one sibling apart is looked at for each: its row, and what
zone files and the configuration say of just its name.

What a zone denies is all alike: a `Denial` is the answer to any name right below the zone that nothing is at or below.
Such answers are not kept: names can be made up without end, and would push each other out.

Pure; refuses to know why a name is answered as it is.
"""

from typing import Final, NamedTuple

from resolver.wire import codes
from resolver.wire.query import Query
from resolver.worker.answer.answer_cache import FOREVER, LARGEST_EXACT, Answers, Compiled
from zones.azure.catalogue_index import is_special
from zones.claims.row import LIKENESS, USUAL, first_class
from zones.dns.name import Name, ancestry
from zones.dns.record import A
from zones.table.outcome import Alias, Found, NoData, NxDomain
from zones.table.table import Table

LIMIT: Final = 4096
"""Shapes and denials, some 800 octets each: by zone, length of label and way to ask, which clients can make up."""
_LARGEST: Final = 512  # octets of a reply that every client takes
_LABEL: Final = 12
"""Where a CNAME's target begins in a tail: after the pointer to its owner, type, class, TTL and length."""


class Shape(NamedTuple):
    """What the answers of siblings have in common: all but the label and the address."""

    model: Compiled
    """The answer that it was taken from."""
    likeness: bytes
    """What a sibling's row says besides the address and who sees it."""
    above: bytes
    """How the names go on after the first label."""
    under: bytes
    """How the private names do that these lead to; empty where they are the private names themselves."""
    pieces: tuple[bytes, bytes, bytes]
    """The tail: the first, the label if `labelled`, the second, the address if `addressed`, the third."""
    labelled: bool
    addressed: bool
    variant: bytes
    """How the key of the answer goes on after the name."""

    def tail(self, label: bytes, address: bytes) -> bytes:
        """The tail of a sibling's answer."""
        first, second, third = self.pieces
        return first + (label if self.labelled else b"") + second + (address if self.addressed else b"") + third


class Denial(NamedTuple):
    """What a zone says to names right below it that are not there."""

    model: Compiled
    """The answer that it was taken from; all others have its octets."""
    above: bytes
    """The zone."""


class Siblings:
    """Makes answers from shapes and denials. `apart`: names that the configuration has a word on."""

    def __init__(self, table: Table, answers: Answers, apart: frozenset[Name]) -> None:
        self._table = table
        self._owned = table.owned
        self._rows = table.owned.rows
        self._answers = answers
        self._apart = apart
        self._shapes: dict[tuple[int, bytes], Shape] = {}
        """By network, and packet after the id without the first label."""
        self._denials: dict[tuple[int, bytes], Denial] = {}
        self._cleared = answers.cleared

    def reply(self, packet: bytes, network: int) -> bytes | None:
        """The reply, after the id, to a packet that is new but for a sibling's of the same form.

        None where there is no such form, where the name is not like its siblings, and where its question was answered
        before.
        """
        if len(packet) <= codes.HEADER_SIZE:
            return None
        start = codes.HEADER_SIZE + 1 + packet[codes.HEADER_SIZE]
        form = network, packet[2 : codes.HEADER_SIZE + 1] + packet[start:]
        shape = self._shapes.get(form)
        if shape is not None and self._holds(shape.model):
            made = self._made(shape, packet, start, network)
            if made is not None:
                return made
        denial = self._denials.get(form)
        if denial is None or not self._holds(denial.model):
            return None
        return self._denied(denial, packet, start)

    def _made(self, shape: Shape, packet: bytes, start: int, network: int) -> bytes | None:
        """The answer of a sibling that is there; it is kept."""
        model, likeness, above, under, _, _, _, variant = shape
        label = packet[codes.HEADER_SIZE : start].lower()
        name = Name(label + above)
        private = Name(label + under) if under else name
        row = self._rows.get(private)
        if row is None or row[LIKENESS] != likeness or len(row) != USUAL or self._stands_apart(name, private):
            return None
        if not self._owned.masks[first_class(row)] >> network & 1:
            return None
        key = name + variant
        if key in self._answers or (under and self._rows.get(name) is not None):
            return None
        tail = shape.tail(label, row[LIKENESS.stop :])
        reply = model.head + packet[codes.HEADER_SIZE : model.end] + tail
        answer = model.sibling(key, tail, (name, private) if under else (name,))
        self._answers.keep_new(answer, network, packet[2:], reply)
        model.cell[0] += 1
        return reply

    def _denied(self, denial: Denial, packet: bytes, start: int) -> bytes | None:
        """The answer of one that is not there."""
        name = Name(packet[codes.HEADER_SIZE : start].lower() + denial.above)
        if not self._table.is_bare(name) or is_special(name) or name in self._apart:
            return None
        model = denial.model
        model.cell[0] += 1
        return model.head + packet[codes.HEADER_SIZE : model.end] + model.tail

    def _stands_apart(self, name: Name, private: Name) -> bool:
        """Something is said of one of these names alone."""
        static, apart = self._table.static, self._apart
        if is_special(name) or name in apart or private in apart:
            return True
        return bool(static) and (name in static or private in static)

    def _holds(self, model: Compiled) -> bool:
        """It is still kept."""
        return bool(model.until) and self._cleared == self._answers.cleared

    # -- taking shapes

    def learn(self, packet: bytes, query: Query, network: int, answer: Compiled) -> None:
        """Take a form from an answer that was just made for a packet and is kept, if its siblings' are like it."""
        if answer.expires != FOREVER or query.options or len(packet) > LARGEST_EXACT:
            return
        if self._cleared != self._answers.cleared or len(self._shapes) + len(self._denials) >= LIMIT:
            self._cleared = self._answers.cleared
            self._shapes.clear()
            self._denials.clear()
        start = codes.HEADER_SIZE + 1 + packet[codes.HEADER_SIZE]
        form = network, packet[2 : codes.HEADER_SIZE + 1] + packet[start:]
        before = self._denials.get(form) if answer.loose else self._shapes.get(form)
        if before is not None and self._holds(before.model):
            return
        if answer.loose:
            denial = self._denial(query, network, answer)
            if denial:
                self._denials[form] = denial
        else:
            shape = self._shape(query, network, answer)
            if shape:
                self._shapes[form] = shape

    def _denial(self, query: Query, network: int, answer: Compiled) -> Denial | None:
        """What a zone that nothing else has a word on denies; None for any other answer."""
        name, table = query.name, self._table
        above = name[1 + name[0] :]
        if not self._is_plain(query, name) or not table.is_bare(name) or table.owned.places.candidates(name):
            return None
        outcome = table.lookup(name, query.qtype, network)
        by_policy = isinstance(outcome, NxDomain | NoData) and outcome.origin == "policy" and outcome.zone == above
        if not by_policy or answer.fallback or answer.end + len(answer.tail) > _LARGEST:
            return None
        return Denial(answer, above)

    def _shape(self, query: Query, network: int, answer: Compiled) -> Shape | None:
        """What an answer's siblings have of it; None where they may have another."""
        name, table = query.name, self._table
        held = table.owned.held(name, network)
        if held is None or not self._is_ordinary(query, held.private):
            return None
        private, row = held.private, self._rows.get(held.private)
        outcome = table.lookup(name, query.qtype, network)
        labelled = isinstance(outcome, Alias)
        if labelled:
            outcome = table.lookup(private, query.qtype, network)
        addressed = isinstance(outcome, Found) and [rrset.type for rrset in outcome.rrsets] == [A]
        denied = isinstance(outcome, NoData) and outcome.soa.owner not in (name, private)
        if row is None or len(row) != USUAL or not (addressed or denied) or answer.end + len(answer.tail) > _LARGEST:
            return None
        size = 1 + name[0]
        shape = Shape(
            answer, row[LIKENESS], name[size:], b"" if private == name else private[size:],
            _pieces(answer, size if labelled else 0, addressed=addressed), labelled, addressed, answer.key[len(name) :],
        )  # fmt: skip
        return shape if shape.tail(name[:size], row[LIKENESS.stop :]) == answer.tail else None

    def _is_ordinary(self, query: Query, private: Name) -> bool:
        """They lead to one another by rule, and nothing else has a word on them."""
        if private != query.name and self._table.owned.places.candidates(query.name)[0] != private:
            return False
        return self._is_plain(query, private)

    def _is_plain(self, query: Query, private: Name) -> bool:
        """Nothing but rows decides on these names, in the spelling that nearly all clients use."""
        name, table = query.name, self._table
        if self._stands_apart(name, private) or table.awaited or query.qname[1 + name[0] :] != name[1 + name[0] :]:
            return False
        return not any(at in table.static for each in (name, private) for at in ancestry(each))


def _pieces(answer: Compiled, label: int, *, addressed: bool) -> tuple[bytes, bytes, bytes]:
    """The tail without the label, of so many octets, and without the address before the OPT record."""
    tail = answer.tail
    end = answer.opt if answer.opt >= 0 else len(tail)
    address = end - 4 if addressed else len(tail)
    cut = _LABEL if label else 0
    return tail[:cut], tail[cut + label : address], tail[end:] if addressed else b""
