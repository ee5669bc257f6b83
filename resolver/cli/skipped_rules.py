"""The rules that commands without a daemon cannot apply, and when that may change a result.

The daemon keeps which endpoint held a contested name before. Commands that read the sources themselves do not know
that, so they skip the rule `incumbent`.
"""

from collections.abc import Iterable
from typing import Final

RULES: Final = ("incumbent",)
NOTE: Final = (
    "the rule `incumbent` is skipped, because only the daemon knows which endpoint held a name before; the daemon may "
    "choose another winner"
)
_LATER: Final = frozenset({"oldest", "resource-id"})
"""Rules that the daemon applies after the skipped one."""


def may_differ(rules: Iterable[str]) -> bool:
    """Return whether one of these rules decided where the daemon would first apply a skipped rule."""
    return not _LATER.isdisjoint(rules)
