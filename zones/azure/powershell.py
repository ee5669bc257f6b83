"""The form in which PowerShell's `ConvertTo-Json` writes resources, made into Azure's own form.

`Get-AzPrivateEndpoint` and the other commands give keys that begin with a capital (`PrivateLinkServiceConnections`),
and have `properties` flattened. Windows PowerShell writes some arrays as `{"value": […], "Count": 2}`. Keys with
copies of other fields as text (`SubnetText`) have no meaning in Azure's form, so that readers ignore them. Pure.
"""

from collections.abc import Mapping
from typing import Any, Final, TypeVar

from zones.azure.encoding import TypeMismatch

_DEEPEST: Final = 40
"""Levels of a resource: real ones have some ten."""
_CUT_OFF: Final = ("'@{", "'System.", "'Microsoft.Azure.")
TOO_SHALLOW: Final = "PowerShell wrote nested objects as text: use `ConvertTo-Json -Depth 10`"

_V = TypeVar("_V")


def camel_keys(members: Mapping[str, _V]) -> dict[str, _V]:
    """Return the members with a small first letter in each key. A key that is there in that form already counts."""
    return {_camel(key): value for key, value in members.items()} | {
        key: value for key, value in members.items() if key == _camel(key)
    }


def azure_form(value: Any, depth: int = 0) -> Any:  # noqa: ANN401 - any JSON value
    """Return a value in Azure's form. Raises `TypeMismatch` for deep nesting."""
    if depth == _DEEPEST:
        raise TypeMismatch("nested too deeply")
    if isinstance(value, list):
        return [azure_form(item, depth + 1) for item in value]
    if not isinstance(value, dict):
        return value
    members = camel_keys({key: item for key, item in value.items() if isinstance(key, str)})
    if members.keys() == {"value", "count"} and isinstance(members["value"], list):
        return azure_form(members["value"], depth + 1)
    return {key: azure_form(item, depth + 1) for key, item in members.items()}


def is_too_shallow(value: Any) -> bool:  # noqa: ANN401 - any JSON value
    """Return True where PowerShell wrote an object of the value as its text or as the name of its type."""
    text = repr(value)
    return any(mark in text for mark in _CUT_OFF)


def _camel(key: str) -> str:
    return key[:1].lower() + key[1:]
