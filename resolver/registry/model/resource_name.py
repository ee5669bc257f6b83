"""Names of resources, of resource groups, and of the parts of a resource that have an id of their own.

Source: learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules. Each type of Azure has rules of
its own; here all have the widest of those of networks.
"""

import re
from collections.abc import Iterable
from typing import Final

from resolver.registry.model.failure import bad_request

_NAME: Final = re.compile(r"[A-Za-z0-9]([\w.()-]{0,88}\w)?", re.ASCII)
_GROUP: Final = re.compile(r"[\w.()-]{0,89}[\w()-]", re.ASCII)


def check_name(name: str, path: str = "name") -> str:
    """Return a name if a resource can have it. `path`: its place in the body.

    Raises `ArmFailure` 400 `InvalidResourceName`.
    """
    if not _NAME.fullmatch(name):
        raise bad_request(
            "InvalidResourceName",
            f"The resource name {name[:80]!r} is invalid. It must begin with a letter or digit, end with a letter, "
            "digit or underscore, and have letters, digits, underscores, dots, hyphens and parentheses only, at most "
            "90 of them.",
            path,
        )
    return name


def check_group_name(name: str) -> str:
    """Return a name if a resource group can have it. Raises `ArmFailure` 400 `InvalidResourceName`."""
    if not _GROUP.fullmatch(name):
        raise bad_request(
            "InvalidResourceName",
            f"The resource group name {name[:80]!r} is invalid. It must have letters, digits, underscores, hyphens, "
            "dots and parentheses only, at most 90 of them, and no dot at the end.",
            "name",
        )
    return name


def check_distinct(names: Iterable[str], where: str, path: str) -> None:
    """Check that no two children of a resource have one name; case does not matter.

    Raises `ArmFailure` 400 `DuplicateResourceName`.
    """
    seen: set[str] = set()
    for name in names:
        if name.casefold() in seen:
            raise bad_request(
                "DuplicateResourceName",
                f"Resource {where} has two child resources with the same name ({name}). Choose another name for one.",
                path,
            )
        seen.add(name.casefold())
