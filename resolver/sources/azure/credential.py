"""Tokens of the configured identity, from azure-identity, whose own requests use pldns's HTTP session.

The library is loaded with the first token. Does not know which requests carry the tokens. No part of a token or a
secret is ever in an error or in the log.
"""

import asyncio
import logging
import os
import time
from typing import TYPE_CHECKING, Any, Final

import aiohttp

from resolver.azure_settings import Credential
from resolver.process import secret
from resolver.process.sandbox.files import has_tools
from resolver.process.secret import NoSecret
from resolver.sources.azure.protocol import advice
from resolver.sources.azure.protocol.budget import skew
from zones.azure.clouds import Cloud
from zones.clocks import WallTime

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential

LONGEST: Final = 60.0
"""Seconds to wait for a token."""
_WITHOUT_PROGRAMS: Final = (
    "exclude_cli_credential", "exclude_developer_cli_credential", "exclude_powershell_credential",
)  # fmt: skip
"""Where there is no such program, the sandbox permits none, and to try one would hide the reason that helps."""
_RETRIES: Final = 2  # retries of azure-identity itself; the next sync tries again


class NoToken(Exception):  # noqa: N818 - the missing thing
    """No token could be obtained. The message is one line for people, with the remedy."""


class Tokens:
    """Tokens of one identity for one scope."""

    def __init__(self, config: Credential, cloud: Cloud, http: aiohttp.ClientSession) -> None:
        self._config = config
        self._cloud = cloud
        self._http = http
        self._credential: AsyncTokenCredential | None = None
        self._asking = asyncio.Lock()

    async def get(self) -> str:
        """Return a valid token; azure-identity caches it until shortly before it expires. Raises `NoToken`."""
        async with self._asking:  # one request at a time; the other callers then use the cached token
            try:
                async with asyncio.timeout(LONGEST):
                    if self._credential is None:
                        self._credential = await asyncio.to_thread(make, self._config, self._cloud, self._http)
                    return (await self._credential.get_token(self._cloud.scope)).token
            except TimeoutError:
                raise NoToken("no token: the identity endpoint does not answer") from None
            except NoSecret as error:
                raise NoToken(f"no token: {error}") from None
            except Exception as error:  # noqa: BLE001 - the library raises many kinds of errors
                raise NoToken(_why(error)) from None

    async def renew(self) -> None:
        """Drop the cached token."""
        async with self._asking:
            credential, self._credential = self._credential, None
            if credential is not None:
                await credential.close()

    async def close(self) -> None:
        """Close the credential."""
        await self.renew()


def make(config: Credential, cloud: Cloud, http: aiohttp.ClientSession) -> "AsyncTokenCredential":
    """Return the credential that the configuration asks for. Raises `NoSecret`, ValueError."""
    from azure.core.pipeline.transport import AioHttpTransport  # noqa: PLC0415 - loading takes 250 ms, only where it is used
    from azure.identity import aio  # noqa: PLC0415 - as above

    logging.getLogger("azure").setLevel(logging.CRITICAL)  # pldns reports failures itself, in one line
    common: dict[str, Any] = {
        "transport": AioHttpTransport(session=http, session_owner=False),
        "retry_total": _RETRIES,
    }
    authority = config.authority or cloud.authority
    own: dict[str, Any] = {"authority": authority, "disable_instance_discovery": bool(config.authority)}
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
                config.tenant_id, config.client_id, secret.text(config.secret), **own, **common
            )
        case "certificate":
            return aio.CertificateCredential(
                config.tenant_id,
                config.client_id,
                certificate_data=secret.octets(config.certificate),
                password=secret.text(config.password) if config.password else None,
                **own,
                **common,
            )
        case "default":
            chosen = {"managed_identity_client_id": client} if client else {}
            programs = {} if has_tools(os.environ) else dict.fromkeys(_WITHOUT_PROGRAMS, True)
            return aio.DefaultAzureCredential(authority=cloud.authority, **chosen, **programs, **common)


def _why(error: Exception) -> str:
    response = getattr(error, "response", None)
    headers = getattr(response, "headers", None) or {}
    return advice.no_token(str(getattr(error, "message", "") or error), skew(headers, WallTime(time.time())))
