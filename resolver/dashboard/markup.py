"""Makes HTML from values: all text is escaped, and characters that would hide or reorder text become visible.

Does not know the pages.
"""

import re
import unicodedata
from html import escape
from typing import Final

_CATEGORIES: Final = frozenset(("Cc", "Cf", "Cs", "Zl", "Zp"))
"""Unicode's categories of characters that control text, format it, or end lines and paragraphs."""
_IGNORABLE: Final = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2065\u3164\ufe00-\ufe0f\uffa0\ufff0-\ufff8\U000e0000-\U000e0fff]"
)
"""The other characters that may have no width (`Default_Ignorable_Code_Point` of Unicode)."""
_MARKS: Final = 4
"""The most marks of one letter. More would cover other lines."""
_EMPTY: Final = frozenset(("input", "link", "meta", "br"))


class Html(str):
    """Text that is HTML. Only `element` and `document` make one."""

    __slots__ = ()


Child = Html | str | None


def visible(text: str) -> str:
    """Return a text in which characters that cannot be seen by themselves are code points, such as 202E."""
    if text.isascii() and text.isprintable():
        return text
    shown, marks = [], 0
    for each in text:
        category = unicodedata.category(each)
        marks = marks + 1 if category[0] == "M" else 0
        hidden = category in _CATEGORIES and each not in "\t\n"
        escaped = hidden or marks > _MARKS or _IGNORABLE.match(each)
        shown.append(f"\\u{ord(each):04X}" if escaped else each)
    return "".join(shown)


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
