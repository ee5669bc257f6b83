"""The parameter `api-version` of a request: which versions the registry speaks.

The bodies of `Microsoft.Network` are the same in all versions from the first one here on, as far as the registry has
them. Types of other namespaces are kept as they are given, in any version.
"""

import re
from typing import Final

from resolver.registry.model.failure import ArmFailure, bad_request

NETWORK_VERSIONS: Final = (
    "2026-01-01", "2025-09-01", "2025-07-01", "2025-05-01", "2025-03-01", "2025-01-01", "2024-10-01", "2024-07-01",
    "2024-05-01", "2024-03-01", "2024-01-01", "2023-11-01", "2023-09-01", "2023-06-01", "2023-05-01", "2023-04-01",
    "2023-02-01", "2022-11-01", "2022-09-01", "2022-07-01", "2022-05-01", "2022-01-01", "2021-12-01", "2021-08-01",
    "2021-06-01", "2021-05-01", "2021-03-01", "2021-02-01", "2020-11-01",
)  # fmt: skip
"""Versions that the list of resource providers shows. Every later one is accepted too."""
_OLDEST: Final = NETWORK_VERSIONS[-1]
_FORM: Final = re.compile(r"(\d{4}-\d{2}-\d{2})(-[a-z]+)?", re.IGNORECASE | re.ASCII)
_NETWORK: Final = "microsoft.network"


def check(given: str, namespace: str, kind: str) -> None:
    """Check the version of a request for a type in a namespace. Raises `ArmFailure` 400.

    `kind` is empty for the provider itself, whose versions are those of subscriptions.
    """
    if not given:
        raise bad_request(
            "MissingApiVersionParameter",
            "The api-version query parameter (?api-version=) is required for all requests.",
        )
    found = _FORM.fullmatch(given)
    if not found:
        raise bad_request(
            "InvalidApiVersionParameter",
            f"The api-version {given[:40]!r} is invalid. Write a date, such as {NETWORK_VERSIONS[0]}.",
        )
    versioned = namespace.casefold() == _NETWORK and kind and kind.casefold() not in _OF_ZONES
    if versioned and found[1] < _OLDEST:
        raise ArmFailure(
            400,
            "NoRegisteredProviderFound",
            f"No registered resource provider found for API version {given!r} for type {kind!r}. The supported "
            f"api-versions are {_OLDEST} and later ones.",
        )


_OF_ZONES: Final = frozenset(("privatednszones",))
"""Types of `Microsoft.Network` that are of another provider, with versions of its own."""
