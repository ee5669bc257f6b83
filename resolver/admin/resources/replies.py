"""A DNS reply as JSON."""

import dns.edns
import dns.flags
import dns.message
import dns.rrset

from resolver.admin.resources.model import Model
from resolver.wire import codes


class ExtendedError(Model):
    """An Extended DNS Error (RFC 8914)."""

    code: int
    text: str


class Reply(Model):
    """A DNS reply. Sections hold records in presentation form."""

    rcode: str
    flags: list[str]
    answer: list[str]
    authority: list[str]
    additional: list[str]
    ede: list[ExtendedError]


def reply(message: dns.message.Message) -> Reply:
    """Return a message as JSON."""
    return Reply(
        rcode=codes.rcode_text(message.rcode()),
        flags=dns.flags.to_text(message.flags).split(),
        answer=_records(message.answer),
        authority=_records(message.authority),
        additional=_records(message.additional),
        ede=[
            ExtendedError(code=int(option.code), text=option.text or "")
            for option in message.options
            if isinstance(option, dns.edns.EDEOption)
        ],
    )


def _records(rrsets: list[dns.rrset.RRset]) -> list[str]:
    return [line for rrset in rrsets for line in rrset.to_text().splitlines()]
