"""Pages of a list: the link to the next page names the last item that was sent, so that it survives changes."""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Final

from yarl import URL

from resolver.registry.model.failure import bad_request
from resolver.registry.service.resources import Page
from resolver.registry.store.row import Json

SIZE: Final = 500
"""Most items of a page."""
_NUMBER: Final = re.compile(r"[0-9]{1,9}")
_TOKEN: Final = "$skipToken"  # noqa: S105 - the name of a parameter


def start(url: URL) -> tuple[str, int]:
    """Return the key after which a page begins, and its size. Raises `ArmFailure` 400."""
    return _after(_parameter(url, _TOKEN)), _size(_parameter(url, "$top"))


def body(page: Page, url: URL, origin: str) -> Json:
    """Return a page as the body of a response to a request for `url`, which the client reaches at `origin`."""
    if not page.next:
        return {"value": page.items}
    token = urlsafe_b64encode(page.next.encode()).decode().rstrip("=")
    kept = {name: value for name, value in url.query.items() if name.casefold() != _TOKEN.casefold()}
    return {"value": page.items, "nextLink": str(URL(origin).with_path(url.path).with_query({**kept, _TOKEN: token}))}


def _parameter(url: URL, wanted: str) -> str:
    return next((value for name, value in url.query.items() if name.casefold() == wanted.casefold()), "")


def _after(token: str) -> str:
    try:
        after = urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode()
    except ValueError:
        after = ""
    if token and not after.startswith("/"):
        raise bad_request("InvalidSkipToken", "The skip token is not one that this registry sent.", _TOKEN)
    return after


def _size(text: str) -> int:
    if not text:
        return SIZE
    if not _NUMBER.fullmatch(text) or not int(text):
        raise bad_request("InvalidTopParameter", f"`$top` must be a positive number, not {text[:20]!r}.", "$top")
    return min(int(text), SIZE)
