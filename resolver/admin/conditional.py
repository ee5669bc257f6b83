"""Conditional requests (RFC 9110 §13): entity tags of responses, and changes that depend on one.

A resource that requests can change has a version (`versions`), which makes its tag. The tag of any other response is
made of its octets, without ages: so it is a weak one. Does not know resources.
"""

import hashlib
import re
from typing import Final

from aiohttp import web

from resolver.admin.access.problems import Code, Refused
from resolver.http_protocol import Response

_AGES: Final = re.compile(rb'"(?:age|uptime)":[0-9.]+,?')


def tag_of(version: str) -> str:
    """Return the tag of a resource by its version."""
    return f'"{_digest(version.encode())}"'


def answered(request: web.Request, response: web.StreamResponse, version: str | None) -> web.StreamResponse:
    """Return a response with its tag, or 304 without a body where the client has a response with this tag."""
    if not isinstance(response, web.Response) or response.status != 200 or not isinstance(response.body, bytes):
        return response
    tag = f'W/"{_digest(_AGES.sub(b"", response.body))}"' if version is None else tag_of(version)
    response.headers["ETag"] = tag
    known = request.if_none_match or ()
    if any(each.value in {"*", tag.removeprefix("W/").strip('"')} for each in known):
        return Response(status=304, headers={"ETag": tag})
    return response


def check(request: web.Request, version: str | None) -> None:
    """Raise `Refused` where `If-Match` names other versions of a resource than the present one.

    `version` None: the resource has no tags, so no tag can match.
    """
    wanted = request.if_match
    if wanted is None:
        return
    tag = None if version is None else tag_of(version).strip('"')
    if not any(each.value == "*" or (each.value == tag and not each.is_weak) for each in wanted):
        raise Refused(Code.CHANGED, "If-Match: the resource has changed since, or has no tags; read it again")


def _digest(octets: bytes) -> str:
    return hashlib.blake2b(octets, digest_size=10).hexdigest()
