"""Server cookies (RFC 7873) in the interoperable format (RFC 9018), so that each worker accepts those of the others.

A client that returns a good server cookie has proved that its address is not forged. Does not know what this client
may do. Pure: the time is an argument.
"""

import hashlib
import hmac
from typing import Final

from siphash24 import siphash24

from zones.clocks import WallTime

CLIENT: Final = 8
"""Octets of a client cookie; the server cookie follows."""
_VERSION: Final = b"\x01\x00\x00\x00"  # and three reserved octets
_SERVER: Final = 16  # octets of a server cookie
_LIFE: Final = 3600  # seconds, RFC 9018 §4.3
_RENEW: Final = 1800  # seconds of age after which a good cookie is replaced
_AHEAD: Final = 300  # seconds that the clock of another server may be ahead
_EPOCH: Final = 43_200  # seconds for which a derived secret signs new cookies


class Cookies:
    """Makes and checks server cookies. The first of the secrets signs; cookies of all secrets are accepted.

    Without secrets they are derived from `root`: a new one every 12 hours, and the previous one is still accepted.
    """

    def __init__(self, root: bytes) -> None:
        self._root = root
        self._epoch = -1
        self._derived: tuple[bytes, ...] = ()
        self.secrets: tuple[bytes, ...] = ()
        """16 octets each. They may be replaced at any time."""

    def check(self, option: bytes, address: bytes, now: WallTime) -> tuple[bool, bytes]:
        """Return whether a well-formed option has a good server cookie for `address`, and the option of the reply.

        `now`: seconds since the epoch.
        """
        client, server = option[:CLIENT], option[CLIENT:]
        secrets = self.secrets or self._of_epoch(now)
        age = _age(server, now)
        signed = [hmac.compare_digest(_hash(client, server[:8], address, each), server[8:]) for each in secrets]
        good = age is not None and any(signed)
        if age is not None and age < _RENEW and signed[0]:
            return True, option
        made = _VERSION + int(now).to_bytes(8, "big")[4:]
        return good, client + made + _hash(client, made, address, secrets[0])

    def _of_epoch(self, now: WallTime) -> tuple[bytes, ...]:
        epoch = int(now) // _EPOCH
        if epoch != self._epoch:
            self._epoch = epoch
            self._derived = tuple(
                hashlib.blake2s(each.to_bytes(8, "big", signed=True), key=self._root, digest_size=16).digest()
                for each in (epoch, epoch - 1)
            )
        return self._derived


def _age(server: bytes, now: WallTime) -> int | None:
    """Return the age of a server cookie in seconds (serial arithmetic, RFC 1982); None if it is not acceptable."""
    if len(server) != _SERVER or server[:1] != _VERSION[:1]:
        return None
    age = (int(now) - int.from_bytes(server[4:8], "big") + 0x8000_0000) % 0x1_0000_0000 - 0x8000_0000
    return age if -_AHEAD <= age <= _LIFE else None


def _hash(client: bytes, made: bytes, address: bytes, secret: bytes) -> bytes:
    """Return SipHash-2-4 of client cookie, version, reserved octets, time and address (RFC 9018 §4.4)."""
    digest: bytes = siphash24(client + made + address, key=secret).digest()
    return digest
