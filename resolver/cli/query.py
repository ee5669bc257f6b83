"""`pldns query`: sends one question to a server and prints the reply, much as dig does.

The question goes over UDP, and again over TCP when the reply is truncated.
"""

import socket
import time
from typing import Final, TypedDict

import dns.edns
import dns.exception
import dns.flags
import dns.inet
import dns.message
import dns.name
import dns.query
import dns.rcode
import dns.rdatatype
import dns.rrset

from resolver.cli import output
from resolver.cli.failure import Failed
from resolver.host_port import HostPort
from resolver.process.connecting import connecting
from resolver.wire import codes
from zones.dns.name import InvalidName, from_text

_TIMEOUT: Final = 5.5
"""Seconds. The daemon answers within 5 seconds, with SERVFAIL if it has no other answer."""


class ExtendedError(TypedDict):
    """An Extended DNS Error (RFC 8914)."""

    code: int
    text: str


class ShownReply(TypedDict):
    """A DNS reply as JSON. Sections hold records in presentation form."""

    rcode: str
    flags: list[str]
    answer: list[str]
    authority: list[str]
    additional: list[str]
    ede: list[ExtendedError]


def run(name: str, rtype: str, server: HostPort, *, source: str | None, tcp: bool, as_json: bool) -> int:
    """Ask and print the reply; return 0 for any reply. Raises `Failed` when there is none."""
    question = message(name, rtype)
    begun = time.monotonic()
    try:
        reply = _tcp(question, server, source) if tcp else _udp(question, server, source)
    except dns.exception.Timeout:
        raise Failed(f"no reply from {server.host} port {server.port} within {_TIMEOUT:g} s") from None
    except (dns.exception.DNSException, ValueError) as error:
        raise Failed(f"the reply of {server.host} port {server.port} is not a DNS reply: {error}") from None
    except OSError as error:
        raise Failed(
            f"cannot ask {server.host} port {server.port}: {error.strerror or error} (`--server` names another one)"
        ) from None
    took = round((time.monotonic() - begun) * 1000, 1)
    if as_json:
        output.data({"server": f"{server.host} port {server.port}", "milliseconds": took, **reply_json(reply)})
    else:
        _write(reply)
        output.line(f";; {took} ms from {server.host} port {server.port}")
    return 0


def message(name: str, rtype: str) -> dns.message.QueryMessage:
    """Return the question as a message with EDNS. Raises `Failed` for an invalid name or type."""
    try:
        owner, _ = dns.name.from_wire(from_text(name), 0)
        number = codes.type_number(rtype)
    except (InvalidName, ValueError) as error:
        raise Failed(str(error)) from None
    return dns.message.make_query(owner, dns.rdatatype.RdataType.make(number), use_edns=True, payload=codes.PAYLOAD)


def reply_json(reply: dns.message.Message) -> ShownReply:
    """Return a reply as JSON."""
    return {
        "rcode": codes.rcode_text(reply.rcode()),
        "flags": dns.flags.to_text(reply.flags).split(),
        "answer": _records(reply.answer),
        "authority": _records(reply.authority),
        "additional": _records(reply.additional),
        "ede": [
            {"code": int(option.code), "text": option.text or ""}
            for option in reply.options
            if isinstance(option, dns.edns.EDEOption)
        ],
    }


def _records(rrsets: list[dns.rrset.RRset]) -> list[str]:
    return [line for rrset in rrsets for line in rrset.to_text().splitlines()]


def _udp(question: dns.message.Message, server: HostPort, source: str | None) -> dns.message.Message:
    """Ask over a connected socket, which fails at once when nothing listens on the port."""
    with connecting(socket.SOCK_DGRAM, server.host, server.port, source or "") as sock:
        try:
            return dns.query.udp(
                question,
                server.host,
                _TIMEOUT,
                server.port,
                sock=sock,
                ignore_unexpected=True,
                raise_on_truncation=True,
            )
        except dns.message.Truncated:
            return _tcp(question, server, source)


def _tcp(question: dns.message.Message, server: HostPort, source: str | None) -> dns.message.Message:
    return dns.query.tcp(question, server.host, _TIMEOUT, server.port, source)


def _write(reply: dns.message.Message) -> None:
    body = reply_json(reply)
    question = "".join(f" {rrset.name} {dns.rdatatype.to_text(rrset.rdtype)}" for rrset in reply.question)
    output.line(f";; {body['rcode']} [{' '.join(body['flags'])}]{question}")
    for each in body["ede"]:
        output.line(f";; EDE {each['code']}: {each['text']}".rstrip(": "))
    for section, records in (
        ("answer", body["answer"]), ("authority", body["authority"]), ("additional", body["additional"]),
    ):  # fmt: skip
        if records:
            output.line(f";; {section}")
            for record in records:
                output.line(record)
