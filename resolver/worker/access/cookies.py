"""DNS cookies of the server (RFC 7873) in their common form (RFC 9018), so that every worker knows another's.

A client that shows a cookie of ours has shown that its address is its own. Pure: the wall clock's time is passed in.
Refuses to know what a cookie is good for.
"""

import hashlib
import hmac
from typing import Final

from siphash24 import siphash24

CLIENT: Final = 8
"""Octets of a client cookie; the server's comes after it."""
_VERSION: Final = b"\x01\x00\x00\x00"  # and three reserved octets
_SERVER: Final = 16  # octets of ours
_LIFE: Final = 3600  # seconds, RFC 9018 §4.3
_RENEW: Final = 1800  # seconds of age after which a good one is replaced
_AHEAD: Final = 300  # seconds that another server's clock may be ahead
_EPOCH: Final = 43_200  # seconds for which a derived secret signs


class Cookies:
    """Makes and checks server cookies. With several secrets the first one signs and all are accepted.

    Without, they are derived from `root`: a new one every 12 hours, while cookies of the one before are still good.
    """

    def __init__(self, root: bytes) -> None:
        self._root = root
        self._epoch = -1
        self._derived: tuple[bytes, ...] = ()
        self.secrets: tuple[bytes, ...] = ()
        """16 octets each; set them anew at any time."""

    def check(self, option: bytes, address: bytes, now: float) -> tuple[bool, bytes]:
        """Whether a well-formed option of the client at `address` holds a good server cookie; the option to reply."""
        client, server = option[:CLIENT], option[CLIENT:]
        secrets = self.secrets or self._of_epoch(now)
        age = _age(server, now)
        signed = [hmac.compare_digest(_hash(client, server[:8], address, each), server[8:]) for each in secrets]
        good = age is not None and any(signed)
        if age is not None and age < _RENEW and signed[0]:
            return True, option
        made = _VERSION + int(now).to_bytes(8, "big")[4:]
        return good, client + made + _hash(client, made, address, secrets[0])

    def _of_epoch(self, now: float) -> tuple[bytes, ...]:
        epoch = int(now) // _EPOCH
        if epoch != self._epoch:
            self._epoch = epoch
            self._derived = tuple(
                hashlib.blake2s(each.to_bytes(8, "big", signed=True), key=self._root, digest_size=16).digest()
                for each in (epoch, epoch - 1)
            )
        return self._derived


def _age(server: bytes, now: float) -> int | None:
    """Seconds since a server cookie was made; None for one that cannot be ours now. Serial arithmetic, RFC 1982."""
    if len(server) != _SERVER or server[:1] != _VERSION[:1]:
        return None
    age = (int(now) - int.from_bytes(server[4:8], "big") + 0x8000_0000) % 0x1_0000_0000 - 0x8000_0000
    return age if -_AHEAD <= age <= _LIFE else None


def _hash(client: bytes, made: bytes, address: bytes, secret: bytes) -> bytes:
    """SipHash-2-4 over client cookie, version, reserved, time and address (RFC 9018 §4.4)."""
    digest: bytes = siphash24(client + made + address, key=secret).digest()
    return digest
