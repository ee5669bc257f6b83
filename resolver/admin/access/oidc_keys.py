"""The public keys with which an OpenID provider signs its tokens (OpenID Connect Discovery 1.0, RFC 7517).

The keys are read with the first token, every hour, and for a key that is not known, but not more often than `AGAIN`
says: a flood of tokens with invented keys costs the provider nothing. While the provider is down, the last keys stay.

Does not know what a token says.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

import aiohttp
import msgspec

AGAIN: Final = 30.0
"""Least seconds between two reads of the keys."""
LASTING: Final = 3600.0
"""Seconds after which keys are read again."""
_TIMEOUT: Final = aiohttp.ClientTimeout(total=5)
_LARGEST: Final = 1 << 20
"""Octets of a response."""
_MOST: Final = 100
"""Keys that are used."""
_RSA_BITS: Final = 2048
_ALGORITHMS: Final[Mapping[str, tuple[str, ...]]] = {
    "RSA": ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    "EC": ("ES256", "ES384", "ES512"),
}
"""By type of key. No algorithm with a shared secret is among them, and not `none`."""

_log = logging.getLogger(__name__)
Session = Callable[[], AbstractAsyncContextManager[aiohttp.ClientSession]]


class SigningKey(NamedTuple):
    """A public key, and the algorithms with which it may have signed."""

    key: Any
    algorithms: tuple[str, ...]


class KeysUnavailable(Exception):  # noqa: N818 - what became of the keys
    """No key of the provider is known. The message says why, in one line."""


class _Metadata(msgspec.Struct):
    issuer: str
    jwks_uri: str


class _KeySet(msgspec.Struct):
    keys: list[dict[str, Any]]


class ProviderKeys:
    """The keys of one provider. `metadata`: the URL of its OpenID metadata; `issuer`: what the metadata must say."""

    def __init__(
        self, metadata: str, issuer: str, session: Session, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._metadata = metadata
        self._issuer = issuer
        self._session = session
        self._clock = clock
        self._keys: dict[str, SigningKey] = {}
        self._read_at = self._tried_at = float("-inf")
        self._reading: asyncio.Task[None] | None = None
        self._why = ""
        """Why the last read failed; empty when it did not."""

    async def find(self, kid: str) -> SigningKey | None:
        """Return the key with this id; None if the provider has none. Raises `KeysUnavailable`."""
        found, now = self._keys.get(kid), self._clock()
        if (found is None or now - self._read_at >= LASTING) and now - self._tried_at >= AGAIN:
            self._tried_at = now
            self._reading = asyncio.create_task(self._read())
        if found is None and self._reading:
            await asyncio.shield(self._reading)
            found = self._keys.get(kid)
        if found is None and not self._keys:
            raise KeysUnavailable(self._why or "the provider has no usable key")
        return found

    async def _read(self) -> None:
        try:
            keys = await self._fetched()
        except (OSError, ValueError, aiohttp.ClientError, TimeoutError) as error:
            why = f"{self._metadata}: {str(error) or type(error).__name__}"
            if why != self._why:
                _log.warning("the keys of the OpenID provider cannot be read: %s; those known before stay", why)
            self._why = why
        else:
            if self._why:
                _log.info("the keys of the OpenID provider can be read again")
            self._keys, self._read_at, self._why = keys, self._clock(), ""
        finally:
            self._reading = None

    async def _fetched(self) -> dict[str, SigningKey]:
        async with self._session() as http:
            metadata = msgspec.json.decode(await _get(http, self._metadata), type=_Metadata)
            if metadata.issuer != self._issuer:
                raise ValueError(f"its issuer is {metadata.issuer[:200]}, not {self._issuer}")
            if not is_protected(metadata.jwks_uri):
                raise ValueError(f"{metadata.jwks_uri[:200]} is not an https:// address")
            found = msgspec.json.decode(await _get(http, metadata.jwks_uri), type=_KeySet)
        keys: dict[str, SigningKey] = {}
        for each in found.keys[:_MOST]:
            kid, made = each.get("kid"), _key(each)
            if isinstance(kid, str) and made:
                keys[kid] = made
        if not keys:
            raise ValueError("it has no usable key")
        return keys


def is_protected(url: str) -> bool:
    """Return whether nobody between can change what is read at a URL: by TLS, or because the host is this machine."""
    parts = urlsplit(url)
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in {"127.0.0.1", "::1", "localhost"})


async def _get(http: aiohttp.ClientSession, url: str) -> bytes:
    async with http.get(url, timeout=_TIMEOUT, allow_redirects=False) as response:
        if response.status != 200:
            raise ValueError(f"{url} answers {response.status}")
        octets = bytearray()
        async for some in response.content.iter_any():
            octets += some
            if len(octets) > _LARGEST:
                raise ValueError(f"{url} has more than {_LARGEST >> 20} MiB")
        return bytes(octets)


def _key(given: Mapping[str, Any]) -> SigningKey | None:
    """Return a key of a key set; None for a key that does not sign, or that cannot be used."""
    import jwt  # noqa: PLC0415 - only users of OpenID pay for it

    algorithms = _ALGORITHMS.get(str(given.get("kty")), ())
    if "alg" in given:
        algorithms = tuple(each for each in algorithms if each == given["alg"])
    if not algorithms or given.get("use", "sig") != "sig":
        return None
    try:
        key = jwt.PyJWK(dict(given), algorithms[0]).key
    except (jwt.PyJWTError, ValueError, TypeError):
        return None
    if hasattr(key, "private_numbers") or (
        "RS256" in _ALGORITHMS.get(str(given["kty"]), ()) and key.key_size < _RSA_BITS
    ):
        return None
    return SigningKey(key, algorithms)
