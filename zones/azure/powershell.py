"""The form in which PowerShell's `ConvertTo-Json` writes resources, made into Azure's own form.

`Get-AzPrivateEndpoint` and the other commands give keys that begin with a capital (`PrivateLinkServiceConnections`),
and have `properties` flattened. Windows PowerShell writes some arrays as `{"value": […], "Count": 2}`. Keys with
copies of other fields as text (`SubnetText`) have no meaning in Azure's form, so that readers ignore them. Pure.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final, TypeVar

from zones.azure.encoding import TypeMismatch

_DEEPEST: Final = 40
"""Levels of a resource: real ones have some ten."""
_CUT_OFF: Final = ("'@{", "'System.", "'Microsoft.Azure.")
TOO_SHALLOW: Final = "PowerShell wrote nested objects as text: use `ConvertTo-Json -Depth 10`"

_V = TypeVar("_V")


def camel_keys(members: Mapping[str, _V]) -> dict[str, _V]:
    """Return the members with a small first letter in each key. A key that is there in that form already counts."""
    found = {_camel(key): value for key, value in members.items()}
    if len(found) != len(members):
        found |= {key: value for key, value in members.items() if key == _camel(key)}
    return found


def azure_form(value: Any, depth: int = 0) -> Any:  # noqa: ANN401 - any JSON value
    """Return a value in Azure's form. Raises `TypeMismatch` for deep nesting."""
    if depth == _DEEPEST:
        raise TypeMismatch("nested too deeply")
    if isinstance(value, list):
        return [azure_form(item, depth + 1) if isinstance(item, dict | list) else item for item in value]
    if not isinstance(value, dict):
        return value
    members = camel_keys(value if all(map(_is_text, value)) else {k: v for k, v in value.items() if _is_text(k)})
    if len(members) == 2 and "count" in members and isinstance(members.get("value"), list):
        return azure_form(members["value"], depth + 1)
    return {
        key: azure_form(item, depth + 1) if isinstance(item, dict | list) else item for key, item in members.items()
    }


def is_too_shallow(value: Any) -> bool:  # noqa: ANN401 - any JSON value
    """Return True where PowerShell wrote an object of the value as its text or as the name of its type."""
    text = repr(value)
    return any(mark in text for mark in _CUT_OFF)


def _is_text(key: object) -> bool:
    """Return True for a text: YAML has keys of other types."""
    return type(key) is str


@lru_cache(4096)
def _camel(key: str) -> str:
    """Return the key with a small first letter. Cached: a file has few keys, many times."""
    return key[:1].lower() + key[1:]
