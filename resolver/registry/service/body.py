"""Reads the JSON body of a request: each value with its path, so that a mistake can be named.

Does not know what the values mean.
"""

from collections.abc import Sequence
from typing import Any, Final, Self

import msgspec

from resolver.registry.model.failure import ArmFailure, bad_request
from resolver.registry.store.row import Json

INVALID: Final = "InvalidRequestContent"
_DEEPEST: Final = 64
"""Levels of objects and lists in a body. What is stored can then be sent as a part of every list."""


def decoded(octets: bytes) -> "Body":
    """Return the body of a request. Raises `ArmFailure` 400."""
    try:
        found = msgspec.json.decode(octets) if octets else {}
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise bad_request(INVALID, f"The body of the request is not valid JSON: {error}.") from None
    if not isinstance(found, dict):
        raise bad_request(INVALID, "The body of the request must be a JSON object.")
    if octets.count(b"{") + octets.count(b"[") > _DEEPEST and _depth(found) > _DEEPEST:
        raise bad_request(INVALID, f"The body of the request is nested more than {_DEEPEST} levels deep.")
    return Body(found)


def _depth(found: object) -> int:
    """Return how many objects and lists lie in each other, at most."""
    depth, level = 0, [found]
    while level := [each for each in level if isinstance(each, dict | list)]:
        depth += 1
        level = [inner for each in level for inner in (each.values() if isinstance(each, dict) else each)]
    return depth


class Body:
    """An object in a body. A missing value and null are the same."""

    def __init__(self, given: Json, path: str = "") -> None:
        self.given = given
        self.path = path

    def __contains__(self, name: str) -> bool:
        return self.given.get(name) is not None

    def where(self, name: str) -> str:
        """Return the path of a value."""
        return f"{self.path}.{name}" if self.path else name

    def text(self, name: str, default: str = "") -> str:
        """Return a text. Raises `ArmFailure` 400."""
        found: str = self._value(name, str, default, "a string")
        return found

    def choice(self, name: str, choices: Sequence[str], default: str = "") -> str:
        """Return one of a few texts, as it is spelt here; case does not matter. `default`: the first one.

        Raises `ArmFailure` 400.
        """
        wanted = self.text(name) or default or choices[0]
        found = next((each for each in choices if each.casefold() == wanted.casefold()), None)
        if found is None:
            raise self.invalid(name, f"must be one of {', '.join(choices)}, not {wanted[:40]!r}")
        return found

    def switch(self, name: str, *, default: bool) -> bool:
        """Return a truth value. Raises `ArmFailure` 400."""
        found: bool = self._value(name, bool, default, "true or false")
        return found

    def texts(self, name: str) -> tuple[str, ...]:
        """Return a list of texts; empty where there is none. Raises `ArmFailure` 400."""
        found: list[Any] = self._value(name, list, [], "a list of strings")
        if not all(isinstance(each, str) for each in found):
            raise self.invalid(name, "must be a list of strings")
        return tuple(found)

    def object(self, name: str) -> Self:
        """Return an object; an empty one where there is none. Raises `ArmFailure` 400."""
        found: Json = self._value(name, dict, {}, "an object")
        return type(self)(found, self.where(name))

    def objects(self, name: str) -> list[Self]:
        """Return a list of objects; empty where there is none. Raises `ArmFailure` 400."""
        found: list[Any] = self._value(name, list, [], "a list of objects")
        if not all(isinstance(each, dict) for each in found):
            raise self.invalid(name, "must be a list of objects")
        return [type(self)(each, f"{self.where(name)}[{i}]") for i, each in enumerate(found)]

    def needed(self, name: str) -> str:
        """Return a text that must be there. Raises `ArmFailure` 400."""
        found = self.text(name)
        if not found:
            raise self.invalid(name, "is missing")
        return found

    def invalid(self, name: str, message: str) -> ArmFailure:
        """Return the failure for a wrong value."""
        where = self.where(name)
        return bad_request(INVALID, f"`{where}` {message}.", where)

    def _value(self, name: str, kind: type[Any], default: Any, described: str) -> Any:  # noqa: ANN401 - any JSON
        found = self.given.get(name)
        if found is None:
            return default
        if not isinstance(found, kind):
            raise self.invalid(name, f"must be {described}")
        return found
