"""What goes wrong: a list of small values, each of which hits some requests and is used up.

Refuses to know HTTP; the server asks which faults hit a request and does what they say.
"""

from typing import Literal

import msgspec

Kind = Literal[
    "status",  # answers `status` with Azure's error body; 429 says `seconds`
    "expired",  # 401: the token has expired, though it has not
    "repeat",  # the continuation leads to this page again
    "lose",  # the continuation leads past the next page
    "slow",  # the body takes `seconds`
    "cut",  # the connection is cut in the middle of the body
    "malformed",  # the body ends in the middle, as if that were all
    "huge",  # the body is padded to `size` octets
    "skew",  # the server's clock is `seconds` off: its Date, and how it judges tokens
    "elsewhere",  # the continuation is at the origin `to`
    "redirect",  # 307 to the origin `to`
    "gone",  # the subscription named in `path` is no more, for the list of them, for lists and for Resource Graph
    "forbidden",  # nothing of the subscription named in `path` may be read
]


class Fault(msgspec.Struct, frozen=True):
    """Hits `count` requests (0: all, until removed) to an API whose path contains `path`, after it let `skip` pass."""

    kind: Kind
    api: Literal["", "token", "graph", "arm"] = ""
    path: str = ""
    """Part of path and query, without case. For `gone` and `forbidden` its id; they last until removed."""
    skip: int = 0
    count: int = 1
    status: int = 500
    code: str = ""
    """The code in an error's body; without one the usual for the status."""
    seconds: float = 1
    size: int = 20 << 20
    to: str = ""


class Faults:
    """Those that are set now."""

    def __init__(self) -> None:
        self._set: dict[int, tuple[Fault, int]] = {}
        self._last = 0

    def add(self, fault: Fault) -> Fault:
        """Set one more."""
        self._last += 1
        self._set[self._last] = (fault, 0)
        return fault

    def remove(self, fault: Fault) -> None:
        """Mend one, all settings of it."""
        self._set = {key: held for key, held in self._set.items() if held[0] != fault}

    def clear(self) -> None:
        """Mend all."""
        self._set.clear()

    def pending(self) -> list[Fault]:
        """Those that still wait for requests, and those that last until removed."""
        return [fault for fault, seen in self._set.values() if not fault.count or seen < fault.skip + fault.count]

    def take(self, api: str, path: str) -> list[Fault]:
        """Those that hit this request; each is one hit further used up."""
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
        """What keeps everybody from a subscription."""
        for fault, _ in self._set.values():
            if fault.path.casefold() == subscription.casefold() and fault.kind in {"gone", "forbidden"}:
                return "gone" if fault.kind == "gone" else "forbidden"
        return ""
