"""`pldns token` and `pldns audit`: the bearer tokens and the changes of a running daemon."""

import json
from urllib.parse import quote

from resolver.admin.access import tokens
from resolver.cli import admin_client, output
from resolver.cli.admin_client import Json, Parameters


def new(url: str, name: str, wanted: Json, as_json: bool) -> int:
    """Make a token, and print it; return 0."""
    made = admin_client.post(url, "/v1/tokens", {"name": name, **wanted})
    if as_json:
        output.data(made)
        return 0
    output.line(made["token"])
    output.note(f"the token `{name}` has the role `{wanted['role']}`; it is shown only now")
    return 0


def configured(name: str, role: str, roles: Json, as_json: bool) -> int:
    """Print a new token and its item of `admin.tokens`; return 0. No daemon learns of it."""
    text = tokens.fresh()
    item = {"name": name, "role": role, "sha256": tokens.digest(text)} | ({"registry": roles} if roles else {})
    if as_json:
        output.data({"token": text, "item": item})
        return 0
    output.line(text)
    output.note("the token is shown only now; add this to `admin.tokens` of the configuration:")
    output.note(f"  - {json.dumps(item)}")
    return 0


def listed(url: str, as_json: bool) -> int:
    """Print the tokens, without their text; return 0."""
    found = list(admin_client.items(url, "/v1/tokens"))
    if as_json:
        output.data(found)
        return 0
    rows = [
        (
            each["name"], each["role"], each["origin"], each["created"] or "", each["expires"] or "",
            _values({role: names for role, names in (each["registry"] or {}).items() if names}),
        )
        for each in found
    ]  # fmt: skip
    output.table(("token", "role", "made by", "created", "expires", "registry"), rows)
    if not rows:
        output.line("no tokens")
    return 0


def revoke(url: str, name: str, as_json: bool) -> int:
    """Remove a token; return 0."""
    result = admin_client.post(url, f"/v1/tokens/{quote(name, safe='')}/revoke", {})
    if as_json:
        output.data(result)
    else:
        output.line(f"token `{name}` is refused from now on")
    return 0


def audit(url: str, wanted: Parameters, as_json: bool, limit: int) -> int:
    """Print the changes that operators made and that the filters `wanted` select, the newest first; return 0."""
    found = list(admin_client.items(url, "/v1/audit", wanted))
    if as_json:
        output.data(found)
        return 0
    rows = [
        (each["at"], each["who"], each["action"], each["target"], _values(each["before"]), _values(each["after"]))
        for each in found[: limit or None]
    ]
    output.table(("when", "who", "action", "target", "before", "after"), rows)
    if not rows:
        output.line("no changes")
    output.more(len(rows), len(found))
    return 0


def _values(values: Json) -> str:
    return ", ".join(f"{key}: {json.dumps(value, ensure_ascii=False)}" for key, value in values.items())
