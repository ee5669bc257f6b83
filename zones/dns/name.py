r"""Domain names in wire format (RFC 1035 §3.1), folded: the only form in which names are compared and stored.

A `Name` is uncompressed, in lower case and ends in the root octet: `www.example.` is ``b"\x03www\x07example\x00"``.
The length octets are below 0x41, so it is safe to fold the whole name (RFC 4343).
"""

import re
from ipaddress import IPv4Address
from typing import TYPE_CHECKING, Final, NewType, NoReturn

if TYPE_CHECKING:
    Name = NewType("Name", bytes)
else:  # a call of a NewType runs Python code, a dozen times for each query
    Name = bytes

ROOT: Final = Name(b"\x00")
MAX_NAME: Final = 255  # octets on the wire, RFC 1035 §2.3.4
MAX_LABEL: Final = 63
_WILDCARD: Final = b"\x01*"
_IN_ADDR: Final = b"\x07in-addr\x04arpa\x00"
_IP6: Final = b"\x03ip6\x04arpa\x00"


class InvalidName(ValueError):  # noqa: N818 - the field says "invalid name", as RFC 1035 does
    """The text is not a domain name. The message says why."""


def from_text(text: str) -> Name:
    r"""Return the name that `text` is in presentation form.

    The final dot is optional. The text may have `\.` and `\DDD` escapes, or IDNs as U-labels. Raises `InvalidName` for
    an empty name, an empty label, a bad escape, a label of more than 63 octets or a name of more than 255 octets.
    """
    if text == ".":
        return ROOT
    parts = _split(text)
    if len(parts) > 1 and not parts[-1]:
        parts.pop()  # the final dot
    wire = bytearray()
    for label in parts:
        if not label:
            _reject(text, "empty label")
        if len(label) > MAX_LABEL:
            _reject(text, f"a label of {len(label)} octets; at most {MAX_LABEL}")
        wire.append(len(label))
        wire += label
    wire.append(0)
    if len(wire) > MAX_NAME:
        _reject(text, f"{len(wire)} octets; at most {MAX_NAME}")
    return Name(bytes(wire).lower())


def host_from_text(text: str) -> Name:
    """Return the host name that `text` is: letters, digits, `-` and `_`, and optionally `*` as the first label.

    Raises `InvalidName`, also for a domain name that is not a host name: an IP address, or `*` elsewhere.
    """
    if text.strip() != text:
        _reject(text, "white space at the start or end")
    name = from_text(text)
    parts = labels(name)
    if not parts:
        _reject(text, "the root is not a host name")
    for i, label in enumerate(parts):
        if label == b"*" and i == 0 and len(parts) > 1:
            continue
        if not all(c in _HOST_OCTETS for c in label):
            _reject(text, f"label {label.decode('latin-1')!r} has characters that are not allowed in a host name")
    if parts[-1].isdigit():
        _reject(text, "its last label is a number")
    return name


_HOST_OCTETS: Final = frozenset(b"abcdefghijklmnopqrstuvwxyz0123456789-_")


def _reject(text: str, why: str) -> NoReturn:
    raise InvalidName(f"{text[:80]!r}: {why}")


def _split(text: str) -> list[bytes]:
    """Split presentation form into labels, with the escapes of RFC 1035 §5.1. A final dot makes an empty last label."""
    if not text.isascii():
        return [_idna(part, text) for part in text.translate(_IDNA_DOTS).split(".")]
    if "\\" not in text:
        return [part.encode() for part in text.split(".")]
    out, label, end = [], bytearray(), 0
    for match in _ESCAPED.finditer(text):
        if match.start() != end:
            break
        end = match.end()
        if match["number"]:
            label.append(int(match["number"]))
        elif match[0] == ".":
            out.append(bytes(label))
            label = bytearray()
        else:
            label += match[0][-1].encode()
    if end != len(text):
        _reject(text, "a bad escape: a backslash goes before three digits up to 255, or before one other character")
    return [*out, bytes(label)]


_ESCAPED: Final = re.compile(r"\\(?P<number>[01]\d\d|2[0-4]\d|25[0-5])|\\\D|[^\\]", re.ASCII | re.DOTALL)
_IDNA_DOTS: Final = dict.fromkeys(map(ord, "\u3002\uff0e\uff61"), ".")  # RFC 3490 §3.1


def _idna(label: str, text: str) -> bytes:
    """Return the A-label of one label. Escapes are refused here: no standard says how they combine with U-labels."""
    try:
        encoded = label.encode("idna") if label else b""
    except UnicodeError as error:
        _reject(text, str(error))
    if b"." in encoded or b"\\" in encoded:
        _reject(text, "an escape, or a character that is equivalent to a dot, together with letters outside ASCII")
    return encoded


def to_text(name: bytes) -> str:
    r"""Return presentation form without the final dot; the root is `.`. Octets that do not print become `\DDD`."""
    parts = labels(name)
    return ".".join(_label_text(part) for part in parts) if parts else "."


def _label_text(label: bytes) -> str:
    if label.isalnum():
        return label.decode()
    out = []
    for octet in label:
        if octet in b'.\\"();@$':
            out.append("\\" + chr(octet))
        elif 0x21 <= octet <= 0x7E:
            out.append(chr(octet))
        else:
            out.append(f"\\{octet:03d}")
    return "".join(out)


def labels(name: bytes) -> list[bytes]:
    """Return the labels from left to right, without the root."""
    out, i = [], 0
    while size := name[i]:
        out.append(name[i + 1 : i + 1 + size])
        i += 1 + size
    return out


def from_labels(parts: list[bytes]) -> Name:
    """Return the name with these labels, which are folded and valid already; the inverse of `labels`."""
    return Name(b"".join(bytes((len(part),)) + part for part in parts) + b"\x00")


def parent(name: Name) -> Name:
    """Return the name without its first label. The root is its own parent."""
    return Name(name[1 + name[0] :]) if name[0] else name


def ancestry(name: Name) -> list[Name]:
    """Return the name and all its ancestors, the root last."""
    out, i = [name], 0
    while size := name[i]:
        i += 1 + size
        out.append(Name(name[i:]))
    return out


def is_under(name: bytes, ancestor: bytes) -> bool:
    """Return True where `name` is `ancestor` or below it, on label boundaries."""
    if not name.endswith(ancestor):
        return False
    i, start = 0, len(name) - len(ancestor)
    while i < start:
        i += 1 + name[i]
    return i == start


def is_wildcard(name: bytes) -> bool:
    """Return True where the first label is `*` (RFC 4592 §2.1.1)."""
    return name.startswith(_WILDCARD)


def wildcard(encloser: bytes) -> Name:
    """Return the wildcard name directly below `encloser`."""
    return Name(_WILDCARD + encloser)


def canonical_key(name: bytes) -> tuple[bytes, ...]:
    """Return the sort key of the canonical order (RFC 4034 §6.1)."""
    return tuple(reversed(labels(name)))


def reverse(address: bytes) -> Name:
    """Return the `in-addr.arpa` or `ip6.arpa` name of a packed address of 4 or 16 octets."""
    if len(address) == 4:
        return Name(b"".join([_OCTETS[octet] for octet in reversed(address)]) + _IN_ADDR)
    return Name(b"".join(b"\x01" + digit.encode() for digit in reversed(address.hex())).lower() + _IP6)


_OCTETS: Final = tuple(b"%c%d" % (len(str(octet)), octet) for octet in range(256))


def reversed_address(name: bytes) -> bytes | None:
    """Return the packed address that this is the reverse name of; None for any other name, such as a reverse zone."""
    parts = labels(name)
    if parts[4:] == [b"in-addr", b"arpa"]:
        octets = parts[3::-1]
        if all(o.isdigit() and len(o) <= 3 and int(o) < 256 and str(int(o)).encode() == o for o in octets):
            return IPv4Address(".".join(o.decode() for o in octets)).packed
    elif parts[32:] == [b"ip6", b"arpa"] and all(len(nibble) == 1 and nibble in _NIBBLES for nibble in parts[:32]):
        return bytes.fromhex(b"".join(parts[31::-1]).decode())
    return None


_NIBBLES: Final = b"0123456789abcdef"
