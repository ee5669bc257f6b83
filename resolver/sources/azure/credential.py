"""Tokens from the configured identity, by azure-identity, whose own requests go through our session.

The library is loaded with the first token. Refuses to know whom tokens are shown to. Nothing of a token or a secret
ever stands in an error or in the log.
"""

import asyncio
import logging
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import aiohttp

from resolver.settings import Credential, Secret
from resolver.sources.azure.protocol import advice
from resolver.sources.azure.protocol.budget import skew
from zones.azure.clouds import Cloud

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential

LONGEST: Final = 60.0
"""Seconds that a token may take."""
_RETRIES: Final = 2  # of azure-identity's own; the next sync is the next try


class NoToken(Exception):  # noqa: N818 - what is missing
    """There is no token; one line for people, with what mends it."""


class Tokens:
    """Tokens of one identity for one scope."""

    def __init__(self, config: Credential, cloud: Cloud, http: aiohttp.ClientSession) -> None:
        self._config = config
        self._cloud = cloud
        self._http = http
        self._credential: AsyncTokenCredential | None = None
        self._asking = asyncio.Lock()

    async def get(self) -> str:
        """One that is valid; azure-identity keeps it until shortly before its end. Raises `NoToken`."""
        async with self._asking:  # one question at a time, which the others then profit from
            try:
                async with asyncio.timeout(LONGEST):
                    if self._credential is None:
                        self._credential = await asyncio.to_thread(make, self._config, self._cloud, self._http)
                    return (await self._credential.get_token(self._cloud.scope)).token
            except TimeoutError:
                raise NoToken("no token: whoever gives them does not answer") from None
            except NoToken:
                raise
            except Exception as error:  # noqa: BLE001 - the library raises what its parts do
                raise NoToken(_why(error)) from None

    async def renew(self) -> None:
        """Forget the token that there is."""
        async with self._asking:
            credential, self._credential = self._credential, None
            if credential is not None:
                await credential.close()

    async def close(self) -> None:
        """End."""
        await self.renew()


def make(config: Credential, cloud: Cloud, http: aiohttp.ClientSession) -> "AsyncTokenCredential":
    """The credential that the configuration asks for. Raises `NoToken`, ValueError."""
    from azure.core.pipeline.transport import AioHttpTransport  # noqa: PLC0415 - 250 ms, for those who use it
    from azure.identity import aio  # noqa: PLC0415 - as above

    logging.getLogger("azure").setLevel(logging.CRITICAL)  # what fails is ours to tell, in one line
    common: dict[str, Any] = {
        "transport": AioHttpTransport(session=http, session_owner=False),
        "retry_total": _RETRIES,
    }
    client, tenant = config.client_id or None, config.tenant_id or None
    match config.type:
        case "managed-identity":
            return aio.ManagedIdentityCredential(client_id=client, **common)
        case "workload-identity":
            return aio.WorkloadIdentityCredential(
                client_id=client, tenant_id=tenant, authority=cloud.authority, **common
            )
        case "cli":
            return aio.AzureCliCredential(tenant_id=config.tenant_id)
        case "client-secret":
            return aio.ClientSecretCredential(
                config.tenant_id, config.client_id, text(config.secret), authority=cloud.authority, **common
            )
        case "certificate":
            return aio.CertificateCredential(
                config.tenant_id,
                config.client_id,
                certificate_data=octets(config.certificate),
                password=text(config.password) if config.password else None,
                authority=cloud.authority,
                **common,
            )
        case "default":
            chosen = {"managed_identity_client_id": client} if client else {}
            return aio.DefaultAzureCredential(authority=cloud.authority, **chosen, **common)


def text(secret: Secret | None, environ: Mapping[str, str] = os.environ) -> str:
    """What a reference leads to, without the end of its line. Raises `NoToken`."""
    try:
        return octets(secret, environ).decode().rstrip("\r\n")
    except UnicodeDecodeError:
        raise NoToken(f"no token: the secret in {_place(secret)} is not UTF-8") from None


def octets(secret: Secret | None, environ: Mapping[str, str] = os.environ) -> bytes:
    """What a reference leads to, as it is. Raises `NoToken`."""
    if secret is None:
        raise NoToken("no token: the credential names no secret")
    try:
        found = Path(secret.file).read_bytes() if secret.file else environ.get(secret.environment, "").encode()
    except OSError as error:
        raise NoToken(f"no token: {secret.file} cannot be read: {error.strerror}") from None
    if not found.strip():
        raise NoToken(f"no token: {_place(secret)} is empty")
    return found


def _place(secret: Secret | None) -> str:
    assert secret is not None  # noqa: S101 - it has been read
    return secret.file or f"the environment variable {secret.environment}"


def _why(error: Exception) -> str:
    response = getattr(error, "response", None)
    headers = getattr(response, "headers", None) or {}
    return advice.no_token(str(getattr(error, "message", "") or error), skew(headers, time.time()))
