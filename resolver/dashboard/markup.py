"""Makes HTML from values: all text is escaped, and characters that would hide or reorder text become visible.

Does not know the pages.
"""

import re
from html import escape
from typing import Final

_INVISIBLE: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")
"""Control characters, and those that change the direction of text or have no width."""
_EMPTY: Final = frozenset(("input", "link", "meta", "br"))


class Html(str):
    """Text that is HTML. Only `element` and `document` make one."""

    __slots__ = ()


Child = Html | str | None


def visible(text: str) -> str:
    """Return a text in which each control character is written as its code point, such as 202E."""
    return _INVISIBLE.sub(lambda found: f"\\u{ord(found[0]):04X}", text)


def element(name: str, /, *children: Child, **attributes: str | bool) -> Html:
    """Return an element. An attribute `class_` is `class`, and `data_x` is `data-x`; one that is False is left out."""
    given = "".join(_attribute(key, value) for key, value in attributes.items() if value is not False)
    inner = "".join(_text(child) for child in children if child is not None)
    return Html(f"<{name}{given}>" if name in _EMPTY else f"<{name}{given}>{inner}</{name}>")


def joined(*children: Child) -> Html:
    """Return elements and texts one after the other."""
    return Html("".join(_text(child) for child in children if child is not None))


def document(head: Html, body: Html) -> str:
    """Return a whole document."""
    return f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">{head}</head>{body}</html>\n'


def _text(child: Html | str) -> str:
    return child if isinstance(child, Html) else escape(visible(child))


def _attribute(key: str, value: str | bool) -> str:
    name = key.rstrip("_").replace("_", "-")
    return f" {name}" if value is True else f' {name}="{escape(visible(str(value)))}"'
