"""Answer templates: the first answer to a question that differs only in its first label from an answered question.

The endpoints of a zone are much alike: one address each, in the same zone, visible to the same networks. A `Template`
is the answer of one endpoint, cut at its label and its address. The answer of a sibling is made from the template and
the sibling's row, without parsing, lookup and rendering. A template holds as long as the answer that it was taken
from: a change that alters the answers of all siblings evicts that answer, too. What can set one
sibling apart is checked for each of them: its row, and anything that zone files and the configuration say about its
name.

A zone denies all names alike: a `Denial` is the answer to any name directly below the zone with nothing at or below it.
Answers made from a denial are not cached: clients can invent names without end, and they would evict each other.

Does not know why a name is answered as it is (`walk`). Pure.
"""

from typing import Final, NamedTuple

from resolver.wire import codes
from resolver.wire.query import Query
from resolver.worker.answer.answer_cache import LARGEST_EXACT, AnswerCache
from resolver.worker.answer.compiled import FOREVER, Compiled
from zones.claims.row import LIKENESS, USUAL, first_class
from zones.dns.name import Name, ancestry
from zones.dns.record import A
from zones.networks.prefixes import NetworkIndex
from zones.table.outcome import Alias, DataOrigin, Found, NoData, NxDomain
from zones.table.table import Table

LIMIT: Final = 4096
"""Templates and denials, some 800 octets each. Clients can invent label lengths and forms of packets."""
_LARGEST: Final = 512  # octets of a reply that every client accepts
_LABEL: Final = 12
"""Offset of a CNAME's target in a tail: after the pointer to its owner, type, class, TTL and length."""


class Template(NamedTuple):
    """What the answers of siblings have in common: everything except the label and the address."""

    model: Compiled
    """The answer that the template was taken from."""
    likeness: bytes
    """What a sibling's row has to say beside its address and the networks that it is visible to."""
    above: bytes
    """The rest of the names after the first label."""
    under: bytes
    """The same of the private names that these names lead to; empty where they are the private names themselves."""
    pieces: tuple[bytes, bytes, bytes]
    """The tail: first piece, the label if `labelled`, second piece, the address if `addressed`, third piece."""
    labelled: bool
    addressed: bool
    variant: bytes
    """The rest of the answer's key after the name."""

    def tail(self, label: bytes, address: bytes) -> bytes:
        """Return the tail of a sibling's answer."""
        first, second, third = self.pieces
        return first + (label if self.labelled else b"") + second + (address if self.addressed else b"") + third


class Denial(NamedTuple):
    """What a zone replies for names directly below it that do not exist."""

    model: Compiled
    """The answer that the denial was taken from; all others have the same octets after the question."""
    above: bytes
    """The zone."""


class AnswerTemplates:
    """Makes answers from templates and denials. `apart`: names that the configuration treats specially."""

    def __init__(self, table: Table, answers: AnswerCache, apart: frozenset[Name]) -> None:
        self._table = table
        self._owned = table.endpoints
        self._rows = table.endpoints.rows
        self._is_special = table.endpoints.catalogue_index.is_special
        self._answers = answers
        self._apart = apart
        self._templates: dict[tuple[int, bytes], Template] = {}
        """By network, and packet after the id without the first label."""
        self._denials: dict[tuple[int, bytes], Denial] = {}
        self._cleared = answers.cleared

    def reply(self, packet: bytes, network: NetworkIndex) -> bytes | None:
        """Return the reply, after the id, to a packet of a known form, and count the answer.

        None where no template fits, where the name is unlike its siblings, and where its question was answered before.
        """
        answer = self.answer(packet, network)
        if answer is None:
            return None
        answer.cell[0] += 1
        return answer.head + packet[codes.HEADER_SIZE : answer.end] + answer.tail

    def answer(self, packet: bytes, network: NetworkIndex) -> Compiled | None:
        """Return the answer to a packet, as `reply` does. A sibling's answer is cached."""
        if len(packet) <= codes.HEADER_SIZE:
            return None
        start = codes.HEADER_SIZE + 1 + packet[codes.HEADER_SIZE]
        form = network, packet[2 : codes.HEADER_SIZE + 1] + packet[start:]
        cleared = self._cleared == self._answers.cleared
        template = self._templates.get(form)
        if template is not None and template.model.until and cleared:
            made = self._made(template, packet, start, network)
            if made is not None:
                return made
        denial = self._denials.get(form)
        if denial is None or not (denial.model.until and cleared):
            return None
        return self._denied(denial, packet, start)

    def _made(self, template: Template, packet: bytes, start: int, network: NetworkIndex) -> Compiled | None:
        """Return the answer of a sibling that exists, and cache it."""
        model, likeness, above, under, _, _, _, variant = template
        label = packet[codes.HEADER_SIZE : start].lower()
        name = Name(label + above)
        private = Name(label + under) if under else name
        row = self._rows.get(private)
        if row is None or row[LIKENESS] != likeness or len(row) != USUAL or self._stands_apart(name, private):
            return None
        if not self._owned.masks[first_class(row)] >> network & 1:
            return None
        key = name + variant
        if key in self._answers or (under and (name in self._owned.explicit or self._rows.get(name) is not None)):
            return None
        tail = template.tail(label, row[LIKENESS.stop :])
        answer = model.sibling(key, tail, (name, private) if under else (name,))
        self._answers.keep_new(answer, network, packet[2:], model.head + packet[codes.HEADER_SIZE : model.end] + tail)
        return answer

    def _denied(self, denial: Denial, packet: bytes, start: int) -> Compiled | None:
        """Return the answer for a name that does not exist."""
        name = Name(packet[codes.HEADER_SIZE : start].lower() + denial.above)
        if not self._table.is_bare(name) or self._is_special(name) or name in self._apart:
            return None
        return denial.model

    def _stands_apart(self, name: Name, private: Name) -> bool:
        """Return True if a zone file or the configuration says something about one of these names alone."""
        static, apart = self._table.static, self._apart
        if self._is_special(name) or name in apart or private in apart:
            return True
        return bool(static) and (name in static or private in static)

    def _holds(self, model: Compiled) -> bool:
        """Return True while the model is cached."""
        return bool(model.until) and self._cleared == self._answers.cleared

    # -- taking templates

    def learn(self, packet: bytes, query: Query, network: NetworkIndex, answer: Compiled) -> None:
        """Take a template from an answer that was just made for a packet and cached, if its siblings have the same."""
        if answer.expires != FOREVER or query.options or len(packet) > LARGEST_EXACT:
            return
        if self._cleared != self._answers.cleared or len(self._templates) + len(self._denials) >= LIMIT:
            self._cleared = self._answers.cleared
            self._templates.clear()
            self._denials.clear()
        start = codes.HEADER_SIZE + 1 + packet[codes.HEADER_SIZE]
        form = network, packet[2 : codes.HEADER_SIZE + 1] + packet[start:]
        before = self._denials.get(form) if answer.expendable else self._templates.get(form)
        if before is not None and self._holds(before.model):
            return
        if answer.expendable:
            denial = self._denial(query, network, answer)
            if denial:
                self._denials[form] = denial
        else:
            template = self._template(query, network, answer)
            if template:
                self._templates[form] = template

    def _denial(self, query: Query, network: NetworkIndex, answer: Compiled) -> Denial | None:
        """Return the denial of a zone that answers by its miss policy alone; None for any other answer."""
        name, table = query.name, self._table
        above = name[1 + name[0] :]
        if (
            not self._is_plain(query, name)
            or not table.is_bare(name)
            or table.endpoints.catalogue_index.candidates(name)
        ):
            return None
        outcome = table.lookup(name, query.qtype, network)
        by_policy = (
            isinstance(outcome, NxDomain | NoData) and outcome.origin is DataOrigin.POLICY and outcome.zone == above
        )
        if not by_policy or answer.fallback or answer.end + len(answer.tail) > _LARGEST:
            return None
        return Denial(answer, above)

    def _template(self, query: Query, network: NetworkIndex, answer: Compiled) -> Template | None:
        """Return what an answer shares with its siblings' answers; None where these may differ."""
        name, table = query.name, self._table
        held = table.endpoints.owned_name(name, network)
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
        template = Template(
            answer, row[LIKENESS], name[size:], b"" if private == name else private[size:],
            _pieces(answer, size if labelled else 0, addressed=addressed), labelled, addressed, answer.key[len(name) :],
        )  # fmt: skip
        return template if template.tail(name[:size], row[LIKENESS.stop :]) == answer.tail else None

    def _is_ordinary(self, query: Query, private: Name) -> bool:
        """Return True if the name leads to the private name by the usual rule and only rows decide about both."""
        if private != query.name and self._table.endpoints.privates(query.name)[0] != private:
            return False
        return self._is_plain(query, private)

    def _is_plain(self, query: Query, private: Name) -> bool:
        """Return True if only rows decide about both names, and all but the first label is in lower case."""
        name, table = query.name, self._table
        if self._stands_apart(name, private) or table.awaited or query.qname[1 + name[0] :] != name[1 + name[0] :]:
            return False
        return not any(at in table.static for each in (name, private) for at in ancestry(each))


def _pieces(answer: Compiled, label: int, *, addressed: bool) -> tuple[bytes, bytes, bytes]:
    """Return the tail cut at the label, which has `label` octets, and at the address before the OPT record."""
    tail = answer.tail
    end = answer.opt if answer.opt >= 0 else len(tail)
    address = end - 4 if addressed else len(tail)
    cut = _LABEL if label else 0
    return tail[:cut], tail[cut + label : address], tail[end:] if addressed else b""
