"""Bearer tokens that were made by a command: a name, a role, and the SHA-256 of each, in a file of the state directory.

A token has 256 random bits, so its hash needs no salt and no slow function. The text of a token is known only to
its maker. Does not know tokens of the configuration's file, except that they are compared in the same way.
"""

import contextlib
import hmac
import logging
import os
import secrets
import time
from collections.abc import Iterable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Final

import msgspec

from resolver.admin_settings import AdminToken, RoleName
from resolver.registry_roles import RegistryRoles

PREFIX: Final = "pldns_"
"""What every token begins with, so that programs that look for leaked secrets find tokens."""
FILE: Final = "tokens.json"
_BITS: Final = 256
_MOST: Final = 1000

_log = logging.getLogger(__name__)


class MadeToken(msgspec.Struct, frozen=True):
    """A token as it is stored. Times are seconds since the epoch; `expires` None: never."""

    name: str
    role: RoleName
    sha256: str
    created: float
    expires: float | None = None
    registry: RegistryRoles | None = None
    """None: `role` says what it may do in the registry."""


class NameTaken(Exception):  # noqa: N818 - reads as a sentence
    """Another token has the name, or there are too many tokens. The message is one line."""


def digest(text: str) -> str:
    """Return the SHA-256 of a token in hexadecimal digits."""
    return sha256(text.encode(errors="surrogateescape")).hexdigest()


def fresh() -> str:
    """Return a new token."""
    return PREFIX + secrets.token_urlsafe(_BITS // 8)


class Tokens:
    """The tokens that were made. `directory`: the state directory; empty: tokens end with this process."""

    def __init__(self, directory: str) -> None:
        self._path = Path(directory) / FILE if directory else None
        self.unreadable = False
        """The file cannot be read: it may hold tokens, so nobody is let in without one.

        The file is kept under another name, `tokens.broken`, when the next token is made.
        """
        self.made: Mapping[str, MadeToken] = self._read()
        """The tokens by name."""

    def matching(self, text: str, configured: Iterable[AdminToken]) -> AdminToken | MadeToken | None:
        """Return the token with this text; None where there is none, or where it has expired.

        Compares with every token, each in constant time (hmac.compare_digest), whatever it finds.
        """
        given, found = digest(text).encode(), None
        known: list[AdminToken | MadeToken] = [*configured, *self.made.values()]
        for each in known:
            if hmac.compare_digest(given, each.sha256.encode()):
                found = each
        expires = found.expires if isinstance(found, MadeToken) else None
        return None if expires is not None and expires <= time.time() else found

    def add(
        self, name: str, role: RoleName, expires: float | None, registry: RegistryRoles | None = None
    ) -> tuple[MadeToken, str]:
        """Make a token. Return it with its text. Raises `NameTaken` and OSError."""
        if name in self.made:
            raise NameTaken(f"there is a token `{name}` already")
        if len(self.made) >= _MOST:
            raise NameTaken(f"there are {_MOST} tokens, which is the most; revoke one first")
        text = fresh()
        token = MadeToken(name, role, digest(text), time.time(), expires, registry)
        self._replace({**self.made, name: token})
        return token, text

    def revoke(self, name: str) -> MadeToken:
        """Remove a token, which is refused from now on, and return it. Raises KeyError and OSError."""
        token = self.made[name]
        self._replace({other: each for other, each in self.made.items() if other != name})
        return token

    def _replace(self, made: Mapping[str, MadeToken]) -> None:
        if self._path:
            new = self._path.with_suffix(".new")
            descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
            with open(descriptor, "wb") as file:  # noqa: PTH123 - a descriptor, not a path
                file.write(msgspec.json.encode(list(made.values())))
                file.flush()
                os.fsync(descriptor)
            if self.unreadable:
                with contextlib.suppress(FileNotFoundError):
                    self._path.replace(self._path.with_suffix(".broken"))
            new.replace(self._path)
        self.made = made
        self.unreadable = False

    def _read(self) -> Mapping[str, MadeToken]:
        if self._path is None:
            return {}
        try:
            with contextlib.suppress(FileNotFoundError):
                found = msgspec.json.decode(self._path.read_bytes(), type=list[MadeToken])
                return {each.name: each for each in found}
        except (OSError, ValueError) as error:
            self.unreadable = True
            why = error.strerror if isinstance(error, OSError) else "it is damaged"
            _log.error("%s cannot be read: %s; all tokens that were made are refused", self._path, why)
        return {}
