"""The connection from a spoke to a hub: one request, whose response is the endless stream of messages.

Explains each failure in one line, with what to do. Does not know what a message means, or when to connect again. No
part of the token is ever in an error or in the log.
"""

import os
import ssl
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Final

import aiohttp
import msgspec

from resolver.hub.messages import FORMAT, HEARTBEAT, MEDIA, PATH, BadFrame, Message, MessageReader, Welcome
from resolver.hub_settings import HubSourceSettings
from resolver.process import certificate, secret
from resolver.process.secret import NoSecret

SILENT: Final = 3 * HEARTBEAT
"""Seconds without an octet after which a hub counts as gone."""
_TIMEOUT: Final = aiohttp.ClientTimeout(total=None, sock_connect=10, sock_read=SILENT)
_MOST: Final = 64 << 10  # octets that are read of an error response
_LONGEST: Final = 300.0
_QUOTED: Final = 300  # characters of what a hub says


class HubFailed(Exception):  # noqa: N818 - what became of the connection
    """There is no connection to the hub any more. The message is one line for people.

    `wait`: the seconds that the hub asks to wait.
    """

    def __init__(self, message: str, wait: float = 0.0) -> None:
        super().__init__(message)
        self.wait = wait


class Garbled(HubFailed):
    """The hub has sent what is no message, or none that may come then. The next connection begins with a whole copy."""


class _Problem(msgspec.Struct):
    detail: str = ""
    title: str = ""


class HubClient:
    """Connects to the hubs of one source. `http`: a session that `resolver.sources.azure.hosts` has opened."""

    def __init__(self, config: HubSourceSettings, http: aiohttp.ClientSession) -> None:
        self.urls = config.urls
        self._config = config
        self._http = http

    async def messages(self, url: str, epoch: str, serial: int) -> AsyncGenerator[list[Message], None]:
        """Yield the messages of a hub as they arrive, endlessly. `epoch`, `serial`: of the last change that is known.

        Raises `HubFailed`.
        """
        asked = {"format": str(FORMAT), "epoch": epoch, "serial": str(serial)}
        try:
            headers, tls = self._headers(), self._tls(url)
            async with self._http.get(
                f"{url}{PATH}", params=asked, headers=headers, allow_redirects=False, timeout=_TIMEOUT, ssl=tls
            ) as answer:
                await _check(answer, url)
                reader = MessageReader()
                async for data in answer.content.iter_any():
                    if found := reader.feed(data):
                        _check_format(found)
                        yield found
        except NoSecret as error:
            raise HubFailed(f"no token for the hub: {error}") from None
        except BadFrame as error:
            raise Garbled(f"{url} does not send what a hub sends: {error}") from None
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise HubFailed(f"{url}: {_reason(error)}") from None
        raise HubFailed(f"{url}: the hub has closed the connection")

    def _headers(self) -> dict[str, str]:
        """Return the headers of the request. Raises `NoSecret`."""
        token = secret.text(self._config.token).strip() if self._config.token else ""
        return {"Accept": MEDIA, **({"Authorization": f"Bearer {token}"} if token else {})}

    def _tls(self, url: str) -> ssl.SSLContext | bool:
        """Return the TLS context, from authorities that are read for each connection. Raises `HubFailed`."""
        if not self._config.ca or url.startswith("http:"):
            return True
        file = self._config.ca
        try:
            found = certificate.certificates(Path(file).read_bytes())
            return ssl.create_default_context(cadata=found or "none")
        except ssl.SSLError:  # which is an OSError too
            raise HubFailed(f"`ca`: {file} has no certificate of an authority in PEM form") from None
        except OSError as error:
            raise HubFailed(f"`ca`: {file} cannot be read: {error.strerror}") from None


async def _check(answer: aiohttp.ClientResponse, url: str) -> None:
    """Raise `HubFailed` for anything but a stream."""
    if answer.status == 200:
        if answer.content_type != MEDIA:
            raise HubFailed(f"{url} is no hub (it sends {answer.content_type[:80]}): `urls` needs its `hub.listen`")
        return
    said = _said(await answer.content.read(_MOST))
    match answer.status:
        case 401:
            what = "the hub refuses the token: make one there with `pldns token new NAME --role read`"
        case 403:
            what = "the hub lets the token do nothing: it needs the role `read`"
        case 404:
            what = "this is no hub: `urls` needs the address of its `hub.listen`"
        case 503:
            what = "the hub has no room now"
        case status if 300 <= status < 400:
            what = "this is no hub: it redirects, which is not followed"
        case status:
            what = f"the hub answers HTTP {status}"
    raise HubFailed(f"{url}: {what}" + (f" ({said})" if said else ""), _wait(answer.headers.get("Retry-After", "")))


def _check_format(messages: list[Message]) -> None:
    for each in messages:
        if isinstance(each, Welcome) and each.format != FORMAT:
            raise BadFrame(f"pldns {each.version[:40]} sends the format {each.format}, and this one reads {FORMAT}")


def _said(body: bytes) -> str:
    try:
        problem = msgspec.json.decode(body, type=_Problem)
    except (msgspec.DecodeError, UnicodeError):
        return ""
    return " ".join((problem.detail or problem.title).split())[:_QUOTED]


def _wait(text: str) -> float:
    return min(float(text), _LONGEST) if text.isascii() and text.isdecimal() else 0.0


def _reason(error: Exception) -> str:
    match error:
        case TimeoutError():
            return f"nothing has arrived for {SILENT:.0f} s, or no connection"
        case aiohttp.ClientConnectorCertificateError():
            why = str(getattr(error.certificate_error, "verify_message", "") or "its certificate is not valid")
            return f"its certificate is refused: {why}: `ca` needs the authority that signed it"
        case aiohttp.ClientConnectorSSLError():
            return "no TLS with it: does `hub.tls` exist there, or is the URL one with http://?"
        case aiohttp.ClientConnectorDNSError():
            return f"its address is not known: {error.os_error}"
        case aiohttp.ClientConnectorError():
            return f"no connection: {os.strerror(error.os_error.errno or 0)}"  # asyncio's text repeats the address
        case aiohttp.ClientPayloadError() | aiohttp.ServerDisconnectedError() | ConnectionError():
            return "the connection broke off"
    return str(error)[:_QUOTED] or type(error).__name__
