"""Where an OpenID provider sends a browser back: the address of the page, as the browser has it.

Behind a reverse proxy, only the browser knows the scheme, the host and the path under which pldns is served. The link
that begins a sign-in makes the browser name the address of the form (`Referer`). A page of another site cannot send
the address of this one (Referrer Policy, W3C), and the host in it must be one of pldns.

Does not know the provider, which accepts no address but those that are registered there.
"""

import re
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from aiohttp import web

from resolver.admin import own_hosts
from resolver.admin.own_hosts import OwnHosts
from resolver.dashboard.sign_in_problems import Problem

CALLBACK: Final = "sign-in/callback"
_FOLDER: Final = re.compile(r"(/[A-Za-z0-9._~!$&'()*+,=:@%-]+){0,20}/ui/")
"""The path of the page: without a character that could end a header or an attribute of a cookie."""
_LONGEST: Final = 500
_OWN_SITES: Final = frozenset(("same-origin", None))


class RedirectAddress(NamedTuple):
    """An address at which a browser comes back."""

    text: str

    @property
    def is_encrypted(self) -> bool:
        """Return whether the browser uses TLS."""
        return self.text.startswith("https:")

    @property
    def top(self) -> str:
        """The path under which the browser knows pldns, as the attribute `Path` of a cookie."""
        return urlsplit(self.text).path.removesuffix(f"/ui/{CALLBACK}") or "/"


def of(request: web.Request, hosts: OwnHosts) -> RedirectAddress | Problem | None:
    """Return where a browser comes back that has followed a link of the page.

    None for a request that does not come from the page; a problem for a page at which nobody may come back.
    """
    referer = request.headers.get("Referer", "")
    if request.headers.get("Sec-Fetch-Site") not in _OWN_SITES or len(referer) > _LONGEST * 10:
        return None
    try:
        parts = urlsplit(referer)
    except ValueError:
        return None
    folder = f"{parts.path.rpartition('/')[0]}/"
    if parts.scheme not in {"http", "https"} or not _FOLDER.fullmatch(folder) or len(folder) > _LONGEST:
        return None
    if not hosts.has(parts.netloc, request):
        return Problem.FOREIGN_HOST
    host = own_hosts.host_of(parts.netloc)
    if parts.scheme == "http" and host != "localhost" and not own_hosts.is_loopback(host):
        return Problem.NOT_ENCRYPTED
    return RedirectAddress(f"{parts.scheme}://{parts.netloc}{folder}{CALLBACK}")
