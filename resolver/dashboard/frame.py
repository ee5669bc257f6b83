"""The frame of every page: its head with the built files, the navigation, and who is signed in.

The script of the page replaces what is in the element `page`, with the same classes. Without the script, what the
server has rendered stays. All addresses are relative, so that a reverse proxy may serve pldns under a path.
"""

from typing import Final, NamedTuple

from resolver.admin.access.identity import Identity
from resolver.dashboard.built import Built
from resolver.dashboard.markup import Child, Html, document, element, joined

PLAIN: Final = (("", "Overview"), ("findings", "Findings"))
"""The views that can be read without JavaScript."""


class Frame(NamedTuple):
    """What all pages share. `identity`: None for somebody who has to sign in first."""

    built: Built
    identity: Identity | None
    view: str
    """The name of the view: the last segment of its path."""

    def page(self, title: str, *body: Child, script: bool = True, up: str = "") -> str:
        """Return a whole page. `script` False: a page that works the same with and without JavaScript.

        `up`: the relative address of the folder of the page, empty for a page in it.
        """
        scripts = self.built.scripts if script else ()
        head = joined(
            element("title", f"{title} · pldns"),
            element("meta", name="viewport", content="width=device-width, initial-scale=1"),
            element("meta", name="color-scheme", content="light dark"),
            *(element("link", rel="stylesheet", href=f"{up}assets/{name}") for name in self.built.styles),
            element("link", rel="icon", href=f"{up}assets/{self.built.icon}") if self.built.icon else None,
            element("link", rel="license", href=f"{up}assets/{self.built.licences}") if self.built.licences else None,
            *(
                element("link", rel="modulepreload", href=f"assets/{name}")
                for name in (self.built.preloads if script else ())
            ),
            *(element("script", src=f"assets/{name}", type="module") for name in scripts),
        )
        lacks = None if self.built.scripts else _hint(
            "The page of this pldns was not built: `make page` builds it. Status and findings can be read without it."
        )  # fmt: skip
        return document(
            head,
            element(
                "body",
                element(
                    "div",
                    element("a", "Skip to content", class_="skip", href="#content"),
                    element("header", _brand(up), self._navigation(), self._who(), class_="bar"),
                    element("main", lacks, element("h1", title), *body, id="content", tabindex="-1"),
                    id="page",
                ),
            ),
        )

    def _navigation(self) -> Html | None:
        if self.identity is None:
            return None
        links = (
            element("a", text, href=f"./{path}", **({"aria_current": "page"} if path == self.view else {}))
            for path, text in PLAIN
        )
        return element("nav", *links, aria_label="Views", class_="views")

    def _who(self) -> Html | None:
        if self.identity is None:
            return None
        if not self.identity.is_proven:
            return element("a", "Sign in", href="sign-in", class_="who")
        out = element("form", element("button", "Sign out"), method="post", action="../sign-out")
        return element("div", element("span", self.identity.name), out, class_="who")


def _brand(up: str) -> Html:
    return element("a", "pldns", href=up or "./", class_="brand")


def _hint(text: str) -> Html:
    return element("p", text, class_="hint")
