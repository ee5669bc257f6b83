"""Texts that must be shown as text, and what a page has that shows them as anything else."""

from typing import Any, Final

from playwright.sync_api import Page

MARKUP: Final = "<img src=x onerror=window.hacked=1>\"'`{{7*7}}${7*7}"
"""Markup, the ends of attributes, and expressions of templates."""
UNSEEN: Final = "\u202e\u2066\u200b\u00ad\u034f\ufe0f\U000e0041"
"""What turns the direction of text around, has no width, changes the character before it, or is a tag."""
MARKS: Final = "Z" + "\u0300\u0323" * 20
"""A letter with marks above and below that would cover other lines."""
HOSTILE: Final = MARKUP + UNSEEN + MARKS
LONGEST: Final = ".".join(("x" * 63, "y" * 63, "z" * 63, "q" * 61))
"""A name of 253 characters, with labels of 63 octets."""

_FAULTS = r"""
() => {
  const unseen = /(?![\t\n])[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}\p{Default_Ignorable_Code_Point}]|\p{M}{5}/u;
  const faults = [];
  if (window.hacked !== undefined) faults.push("a script of the estate ran");
  const texts = [document.title];
  for (const element of document.querySelectorAll("body, body *")) {
    if (/^(img|iframe|object|embed|script|base|meta|style)$/i.test(element.tagName) && element.closest("#page"))
      faults.push(`<${element.tagName}>`);
    for (const { name, value } of element.attributes) {
      if (name.startsWith("on") || /^\s*(javascript|data):/i.test(value)) faults.push(`${name}=${value}`);
      if (["title", "aria-label", "aria-description", "placeholder"].includes(name)) texts.push(value);
    }
    for (const node of element.childNodes) if (node.nodeType === Node.TEXT_NODE) texts.push(node.data);
  }
  for (const text of texts) {
    if (unseen.test(text)) faults.push(`unseen characters: ${JSON.stringify(text.slice(0, 200))}`);
    if (/^49$|Z49/.test(text)) faults.push("an expression was evaluated");
  }
  const { scrollWidth, clientWidth } = document.documentElement;
  if (scrollWidth > clientWidth) {
    const wide = [...document.querySelectorAll("body *")].filter((each) => {
      if (each.getBoundingClientRect().right <= clientWidth) return false;
      for (let up = each.parentElement; up; up = up.parentElement)
        if (getComputedStyle(up).overflowX !== "visible") return false;
      return true;
    });
    faults.push(`${scrollWidth} pixels wide: ${wide.map((each) => each.outerHTML.slice(0, 80)).slice(-2).join(" ")}`);
  }
  return faults;
}
"""


def faults(page: Page) -> list[Any]:
    """Return what is wrong on a page: elements, scripts and characters of texts, and a page that is too wide."""
    found: list[Any] = page.evaluate(_FAULTS)
    return found
