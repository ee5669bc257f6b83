"""Faults: a list of values, each of which affects a number of requests.

Does not know HTTP. The server asks which faults affect a request, and acts on them.
"""

from typing import Literal

import msgspec

Kind = Literal[
    "status",  # responds with `status` and Azure's error body; 429 with `seconds`
    "expired",  # 401: the token has expired, though it has not
    "repeat",  # the link to the next page leads to this page again
    "lose",  # the link to the next page skips a page
    "slow",  # the body takes `seconds`
    "cut",  # the connection is cut in the middle of the body
    "malformed",  # the body ends in the middle, as if that were all
    "huge",  # the body is padded to `size` octets
    "skew",  # the server's clock is wrong by `seconds`, in Date and for tokens
    "elsewhere",  # the link to the next page has the origin `to`
    "redirect",  # 307 to the origin `to`
    "gone",  # the subscription in `path` does not exist any more
    "forbidden",  # the subscription in `path` may not be read
]


class FakeFault(msgspec.Struct, frozen=True):
    """Affects `count` requests (0: all, until removed) to an API whose path contains `path`, after the first `skip`."""

    kind: Kind
    api: Literal["", "token", "graph", "arm"] = ""
    path: str = ""
    """Part of path and query, in any case. For `gone` and `forbidden` the subscription; these last until removed."""
    skip: int = 0
    count: int = 1
    status: int = 500
    code: str = ""
    """The code in the error body; empty for the usual code of the status."""
    seconds: float = 1
    size: int = 20 << 20
    to: str = ""


class FakeFaults:
    """The present faults."""

    def __init__(self) -> None:
        self._set: dict[int, tuple[FakeFault, int]] = {}
        self._last = 0

    def add(self, fault: FakeFault) -> FakeFault:
        """Add a fault."""
        self._last += 1
        self._set[self._last] = (fault, 0)
        return fault

    def remove(self, fault: FakeFault) -> None:
        """Remove a fault, however often it was added."""
        self._set = {key: held for key, held in self._set.items() if held[0] != fault}

    def clear(self) -> None:
        """Remove all faults."""
        self._set.clear()

    def pending(self) -> list[FakeFault]:
        """Return the faults that still affect requests."""
        return [fault for fault, seen in self._set.values() if not fault.count or seen < fault.skip + fault.count]

    def take(self, api: str, path: str) -> list[FakeFault]:
        """Return the faults that affect this request, and count the request for each."""
        hit = []
        for key, (fault, seen) in self._set.items():
            if fault.kind in {"gone", "forbidden"} or fault.api not in {"", api}:
                continue
            if fault.path.casefold() in path.casefold():
                self._set[key] = (fault, seen + 1)
                if fault.skip <= seen and (not fault.count or seen < fault.skip + fault.count):
                    hit.append(fault)
        return hit

    def access(self, subscription: str) -> Literal["", "gone", "forbidden"]:
        """Return the fault that makes a subscription unreadable; None if there is none."""
        for fault, _ in self._set.values():
            if fault.path.casefold() == subscription.casefold() and fault.kind in {"gone", "forbidden"}:
                return "gone" if fault.kind == "gone" else "forbidden"
        return ""
