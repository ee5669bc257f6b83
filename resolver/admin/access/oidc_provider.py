"""What an OpenID provider publishes: its endpoints and its keys (OpenID Connect Discovery 1.0, RFC 8414, RFC 7517).

Both are read together: when one of them is first needed, every hour, and for a key that is not known, but not more
often than `AGAIN` says. So a flood of tokens with invented keys costs the provider nothing. While the provider is down,
what was read before stays.

Does not know what a token says, or how people sign in.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any, Final
from urllib.parse import urlsplit

import aiohttp
import msgspec

from resolver.admin.access import oidc_keys
from resolver.admin.access.oidc_keys import SigningKey

AGAIN: Final = 30.0
"""Least seconds between two reads."""
LASTING: Final = 3600.0
"""Seconds after which endpoints and keys are read again."""
_TIMEOUT: Final = aiohttp.ClientTimeout(total=5)
_LARGEST: Final = 1 << 20
"""Octets of a response."""

_log = logging.getLogger(__name__)
Session = Callable[[], AbstractAsyncContextManager[aiohttp.ClientSession]]


class ProviderUnavailable(Exception):  # noqa: N818 - what became of the provider
    """The provider does not answer, or not with what is needed. The message says why, in one line."""


class Metadata(msgspec.Struct, frozen=True):
    """What the metadata of a provider says, as far as it is used. An endpoint is empty where the provider has none."""

    issuer: str
    jwks_uri: str
    authorization_endpoint: str = ""
    token_endpoint: str = ""
    token_endpoint_auth_methods_supported: tuple[str, ...] = ("client_secret_basic",)
    authorization_response_iss_parameter_supported: bool = False
    """The provider names its issuer when it sends a browser back (RFC 9207)."""


class _KeySet(msgspec.Struct):
    keys: list[dict[str, Any]]


class Provider:
    """One provider. `url`: of its metadata; `issuer`: what the metadata must say; `session`: opens HTTP sessions."""

    def __init__(self, url: str, issuer: str, session: Session, clock: Callable[[], float] = time.monotonic) -> None:
        self._url = url
        self._issuer = issuer
        self._session = session
        self._clock = clock
        self._metadata: Metadata | None = None
        self._keys: dict[str, SigningKey] = {}
        self._read_at = self._tried_at = float("-inf")
        self._reading: asyncio.Task[None] | None = None
        self._why = ""
        """Why the last read failed; empty when it did not."""

    async def key(self, kid: str) -> SigningKey | None:
        """Return the key with this id; None if the provider has none. Raises `ProviderUnavailable`."""
        await self._look(lacks=kid not in self._keys)
        if not self._keys:
            raise ProviderUnavailable(self._why or "the provider has no usable key")
        return self._keys.get(kid)

    async def metadata(self) -> Metadata:
        """Return the metadata. Raises `ProviderUnavailable`."""
        await self._look(lacks=self._metadata is None)
        if self._metadata is None:
            raise ProviderUnavailable(self._why or "the metadata of the provider are not known yet")
        return self._metadata

    async def post(self, url: str, form: Mapping[str, str], headers: Mapping[str, str]) -> tuple[int, bytes]:
        """Send a form. Return the status and the body of the response. Raises `ProviderUnavailable`."""
        try:
            async with (
                self._session() as http,
                http.post(url, data=form, headers=headers, timeout=_TIMEOUT, allow_redirects=False) as response,
            ):
                return response.status, await _body(response)
        except (OSError, ValueError, aiohttp.ClientError, TimeoutError) as error:
            raise ProviderUnavailable(f"{url}: {_reason(error)}") from None

    async def _look(self, *, lacks: bool) -> None:
        """Read again where it is time. `lacks`: wait for that, because what is wanted is not known."""
        now = self._clock()
        if (lacks or now - self._read_at >= LASTING) and now - self._tried_at >= AGAIN:
            self._tried_at = now
            self._reading = asyncio.create_task(self._read())
        if lacks and self._reading:
            await asyncio.shield(self._reading)

    async def _read(self) -> None:
        try:
            metadata, keys = await self._fetched()
        except (OSError, ValueError, aiohttp.ClientError, TimeoutError) as error:
            why = f"{self._url}: {_reason(error)}"
            if why != self._why:
                _log.warning("the OpenID provider cannot be read: %s; what was read before stays", why)
            self._why = why
        else:
            if self._why:
                _log.info("the OpenID provider can be read again")
            self._metadata, self._keys, self._read_at, self._why = metadata, keys, self._clock(), ""
        finally:
            self._reading = None

    async def _fetched(self) -> tuple[Metadata, dict[str, SigningKey]]:
        async with self._session() as http:
            metadata = msgspec.json.decode(await _get(http, self._url), type=Metadata)
            if metadata.issuer != self._issuer:
                raise ValueError(f"its issuer is {metadata.issuer[:200]}, not {self._issuer}")
            if not is_protected(metadata.jwks_uri):
                raise ValueError(f"{metadata.jwks_uri[:200]} is not an https:// address")
            found = msgspec.json.decode(await _get(http, metadata.jwks_uri), type=_KeySet)
        keys = oidc_keys.usable(found.keys)
        if not keys:
            raise ValueError("it has no usable key")
        return metadata, keys


def is_protected(url: str) -> bool:
    """Return whether nobody between can change what is read at a URL: by TLS, or because the host is this machine."""
    parts = urlsplit(url)
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in {"127.0.0.1", "::1", "localhost"})


async def _get(http: aiohttp.ClientSession, url: str) -> bytes:
    async with http.get(url, timeout=_TIMEOUT, allow_redirects=False) as response:
        if response.status != 200:
            raise ValueError(f"{url} answers {response.status}")
        return await _body(response)


async def _body(response: aiohttp.ClientResponse) -> bytes:
    octets = bytearray()
    async for some in response.content.iter_any():
        octets += some
        if len(octets) > _LARGEST:
            raise ValueError(f"{response.url} has more than {_LARGEST >> 20} MiB")
    return bytes(octets)


def _reason(error: Exception) -> str:
    return str(error) or type(error).__name__
