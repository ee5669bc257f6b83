"""`pldns query`: one question to a server over UDP, or TCP where the reply is cut short, and its reply like dig's."""

import socket
import time
from typing import Any

import dns.edns
import dns.exception
import dns.flags
import dns.inet
import dns.message
import dns.name
import dns.query
import dns.rcode
import dns.rdatatype

from resolver.cli import output
from resolver.cli.failure import Failed
from resolver.cli.place import Place
from resolver.wire import codes
from zones.dns.name import InvalidName, from_text

_TIMEOUT = 5.5  # seconds; the daemon answers within 5, if only SERVFAIL


def run(name: str, rtype: str, server: Place, *, source: str | None, tcp: bool, as_json: bool) -> int:
    """Ask and write the reply; 0 whatever the reply is. Raises `Failed` when there is none."""
    question = message(name, rtype)
    begun = time.monotonic()
    try:
        reply = _tcp(question, server, source) if tcp else _udp(question, server, source)
    except dns.exception.Timeout:
        raise Failed(f"no reply from {server[0]} port {server[1]} within {_TIMEOUT:g} s") from None
    except (dns.exception.DNSException, ValueError) as error:
        raise Failed(f"what {server[0]} port {server[1]} replied is no DNS reply: {error}") from None
    except OSError as error:
        raise Failed(f"{server[0]} port {server[1]} cannot be asked: {error.strerror or error}") from None
    took = round((time.monotonic() - begun) * 1000, 1)
    if as_json:
        output.json_out({"server": f"{server[0]} port {server[1]}", "milliseconds": took} | told(reply))
    else:
        write(reply)
        output.line(f";; {took} ms from {server[0]} port {server[1]}")
    return 0


def message(name: str, rtype: str) -> dns.message.QueryMessage:
    """The question, with EDNS. Raises `Failed` for what is no name or no type."""
    try:
        owner, _ = dns.name.from_wire(from_text(name), 0)
        number = codes.type_number(rtype)
    except (InvalidName, ValueError) as error:
        raise Failed(str(error)) from None
    return dns.message.make_query(owner, dns.rdatatype.RdataType.make(number), use_edns=True, payload=codes.PAYLOAD)


def _udp(question: dns.message.Message, server: Place, source: str | None) -> dns.message.Message:
    """Over a connected socket, which is told at once where nobody listens."""
    with socket.socket(dns.inet.af_for_address(server[0]), socket.SOCK_DGRAM) as sock:
        if source:
            sock.bind((source, 0))
        sock.connect(server)
        sock.settimeout(0)
        try:
            return dns.query.udp(
                question, server[0], _TIMEOUT, server[1], sock=sock, ignore_unexpected=True, raise_on_truncation=True
            )
        except dns.message.Truncated:
            return _tcp(question, server, source)


def _tcp(question: dns.message.Message, server: Place, source: str | None) -> dns.message.Message:
    return dns.query.tcp(question, server[0], _TIMEOUT, server[1], source)


def told(reply: dns.message.Message) -> dict[str, Any]:
    """A reply as JSON."""
    sections = {"answer": reply.answer, "authority": reply.authority, "additional": reply.additional}
    return {
        "rcode": codes.rcode_text(reply.rcode()),
        "flags": dns.flags.to_text(reply.flags).split(),
        **{
            key: [line for rrset in rrsets for line in rrset.to_text().splitlines()] for key, rrsets in sections.items()
        },
        "ede": [_ede(option) for option in reply.options if isinstance(option, dns.edns.EDEOption)],
    }


def _ede(option: dns.edns.EDEOption) -> dict[str, Any]:
    return {"code": int(option.code), "text": option.text or ""}


def write(reply: dns.message.Message) -> None:
    """A reply as dig writes it, shortened."""
    body = told(reply)
    question = "".join(f" {rrset.name} {dns.rdatatype.to_text(rrset.rdtype)}" for rrset in reply.question)
    output.line(f";; {body['rcode']} [{' '.join(body['flags'])}]{question}")
    for each in body["ede"]:
        output.line(f";; EDE {each['code']}: {each['text']}".rstrip(": "))
    for section in ("answer", "authority", "additional"):
        if body[section]:
            output.line(f";; {section}")
            for record in body[section]:
                output.line(record)
