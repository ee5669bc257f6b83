"""The view with the ways to sign in: each with what it is for, and what went wrong the last time.

Works without JavaScript. Does not know how a way to sign in works.
"""

from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import urlencode

from resolver.dashboard.frame import Frame
from resolver.dashboard.markup import Html, element, joined
from resolver.dashboard.sign_in_problems import Problem


class SignInForm(NamedTuple):
    """What the view says. `following`: the view to show afterwards."""

    following: str
    provider: str
    """What people call the OpenID provider; empty: a token is the only way."""
    audience: str = ""
    """What access tokens of the provider are for; empty where they do not count."""
    problem: Problem | None = None
    reference: str = ""
    """The code that the provider gives the problem; empty without one."""
    is_signed_out: bool = False
    """The person has just signed out."""


def page(frame: Frame, form: SignInForm) -> str:
    """Return the view."""
    return frame.page("Sign in to pldns", element("div", *_parts(form), class_="sign-in"), script=False)


def _parts(form: SignInForm) -> Iterator[Html]:
    if form.problem:
        yield _problem(form.problem, form)
    elif form.is_signed_out:
        yield _signed_out(form)
    if form.provider:
        yield _with_provider(form)
    yield _with_token(form)


def _problem(problem: Problem, form: SignInForm) -> Html:
    provider = form.provider or "The OpenID provider"
    meaning, advice = (text.replace("{provider}", provider) for text in (problem.meaning, problem.advice))
    may_choose = form.provider and problem in {Problem.NO_ROLE, Problem.WRONG_TENANT, Problem.ACCESS_DENIED}
    return element(
        "div",
        element("p", element("strong", meaning)),
        element("p", advice),
        element("p", f"{provider} calls this ", element("code", form.reference), ".") if form.reference else None,
        element("p", _link(form, "Use another account", choose=True)) if may_choose else None,
        class_="problem", role="alert",
    )  # fmt: skip


def _signed_out(form: SignInForm) -> Html:
    known = f" {form.provider} may still know you, and let you in again without a password." if form.provider else ""
    return element(
        "div",
        element("p", f"You are signed out of pldns.{known}"),
        element("p", _link(form, "Use another account", choose=True)) if form.provider else None,
        class_="signed-out", role="status",
    )  # fmt: skip


def _with_provider(form: SignInForm) -> Html:
    return element(
        "section",
        element("h2", "With your account"),
        element(
            "p", f"{form.provider} proves who you are, and your app role says what you may do. pldns sees no password, "
            "and keeps no token.",
        ),
        _link(form, f"Sign in with {form.provider}", class_="button primary"),
    )  # fmt: skip


def _with_token(form: SignInForm) -> Html:
    access_token = joined(
        " An access token of Entra ID works too: ",
        element("code", f"az account get-access-token --resource {form.audience} --query accessToken -o tsv"), ".",
    )  # fmt: skip
    explained = joined(
        "A token is for programs, and for people without an account. ",
        element("code", "pldns token new NAME --role read"), " makes one on the machine of pldns.",
        access_token if form.audience and not form.provider else None,
    )  # fmt: skip
    return element(
        "section",
        element("h2", "With a token"),
        element("p", explained),
        element(
            "form",
            element("label", "Token", for_="token"),
            element(
                "input", id="token", name="token", type="password", autocomplete="current-password", required=True,
                spellcheck="false", autofocus=not form.provider,
            ),
            element("input", name="next", type="hidden", value=form.following),
            element("button", "Sign in with a token", **({} if form.provider else {"class_": "primary"})),
            method="post", action="../sign-in",
        ),
    )  # fmt: skip


def _link(form: SignInForm, text: str, *, choose: bool = False, **attributes: str) -> Html:
    """Return the link that begins a sign-in with the provider. It makes the browser name the address of the page."""
    values = {key: value for key, value in {"next": form.following, "choose": "1" if choose else ""}.items() if value}
    where = f"sign-in/begin{'?' if values else ''}{urlencode(values)}"
    return element("a", text, href=where, referrerpolicy="same-origin", **attributes)
