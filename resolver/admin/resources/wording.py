"""Ids and lists in the sentences that people read, on the command line and on the page."""

from collections.abc import Iterable


def short(text: str) -> str:
    """Return an Azure resource id as `NAME (RESOURCE GROUP)`, and any other text unchanged.

    The name of a child resource follows that of its parent: `pe-shop/default`.
    """
    parts = text.strip("/").split("/")
    if len(parts) >= 8 and parts[0].lower() == "subscriptions":
        return f"{'/'.join(parts[7::2])} ({parts[3]})"
    return text


def listed(values: Iterable[str], total: int | None) -> str:
    """Return values as a list in a sentence; `total` is how many there are when some were left out."""
    shown = list(values)
    text = ", ".join(shown)
    return f"{text} and {total - len(shown)} more" if total and total > len(shown) else text
