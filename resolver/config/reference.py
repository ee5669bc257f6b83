"""Writes docs/configuration.md from the models, so that the page describes exactly what is accepted.

Run `python -m resolver.config.reference > docs/configuration.md`. A test fails when the page is out of date.
"""

import sys
from typing import Any, Final

from resolver.config.file import schema

_HEAD: Final = """\
# Configuration

<!-- Written by `python -m resolver.config.reference`; do not edit. -->

pldns reads one YAML file, `/etc/pldns/pldns.yaml` or the file given with `-c FILE`. Every key has a default; an empty
file is a valid configuration. Unknown keys, duplicate keys and invalid values are errors. All errors are reported at
once, each with its line and column. `pldns config schema` prints the JSON Schema of the file, `pldns config show`
prints each value and its origin.

- **Precedence**: command-line flag, environment, file, default.
- **Environment**: the variable of `dns.listen` is `PLDNS_DNS__LISTEN`: upper case, with two underscores between keys.
  Values are YAML, also lists (`PLDNS_DNS__LISTEN='["0.0.0.0:53"]'`). A `PLDNS_…` variable that is not a setting is
  logged and ignored, because Kubernetes creates such variables for every service.
- **Durations** are whole seconds: `10s`, `5m`, `1h`, `1d` or a number; at most 7 days.
- **Relative paths** are relative to the folder of the file.
- **Words**: only `true` and `false` are booleans, so `off` and `no` need no quotes. An IPv6 address with a port needs
  quotes: `"[::1]:53"`.
"""


def page() -> str:
    """Return the page in Markdown."""
    root = schema()
    parts = [_HEAD, *_sections(root, root, ""), _not_yet()]
    return "\n".join(parts)


def _sections(root: dict[str, Any], model: dict[str, Any], path: str, of: str = "") -> list[str]:
    """Return a table for `model`, followed by one for each mapping in it."""
    rows = []
    nested: list[str] = []
    required = model.get("required", [])
    for key, prop in model["properties"].items():
        inner, suffix = _model(root, prop)
        here = f"{path}.{key}" if path else key
        default = "required" if key in required else _default(prop)
        rows.append(
            f"| `{key}` | {_type(prop)} | {default} | {prop.get('description') or (inner or {})['description']} |"
        )
        if inner:
            nested += _sections(root, inner, here + suffix)
        for choice in prop.get("items", {}).get("oneOf", ()):
            each = _definition(root, choice)
            nested += _sections(root, each, f"{here}[]", of=each["properties"]["type"]["const"])
    table = "\n".join(["| key | type | default | meaning |", "|---|---|---|---|", *rows])
    kind = f" of type `{of}`" if of else ""
    title = f"## `{path}`{kind}\n\n{model['description']}\n\n" if path else "## Sections\n\n"
    return [f"{title}{table}\n", *nested]


def _model(root: dict[str, Any], prop: dict[str, Any]) -> tuple[dict[str, Any] | None, str]:
    """Return the mapping in a property, in its items or in its values, and what that adds to the path."""
    choices = ((choice, "") for choice in prop.get("anyOf", ()))
    items = prop.get("items", {})
    listed = ((holder, "[]") for holder in (items, *items.get("anyOf", ())))
    for holder, suffix in ((prop, ""), *choices, *listed, (_values(prop), ".NAME")):
        if "$ref" in holder:
            return _definition(root, holder), suffix
    return None, ""


def _definition(root: dict[str, Any], holder: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = root["$defs"][holder["$ref"].rpartition("/")[2]]
    return found


def _type(prop: dict[str, Any]) -> str:
    if "anyOf" in prop:
        choices = [choice for choice in prop["anyOf"] if choice.get("type") != "null"]
        words = [choice for choice in choices if "enum" in choice or "const" in choice]
        return ", ".join(map(_type, words if len(words) == len(choices) else choices[:1]))
    if "enum" in prop or "const" in prop:
        return ", ".join(f"`{word}`" for word in prop.get("enum") or [prop["const"]])
    if "items" in prop:
        return f"list of {_type(prop['items']).replace('mapping', 'mappings')}"
    if prop.get("type") == "object":
        return f"mapping of names to {_type(_values(prop)).replace('mapping', 'mappings')}"
    title = str(prop.get("title", ""))
    if "$ref" in prop or "oneOf" in prop:
        return "mapping"
    return (
        title
        if title[:1].islower()
        else {"string": "text", "integer": "number", "boolean": "`true` or `false`"}[prop["type"]]
    )


def _values(prop: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of the values of a mapping with free keys, whether its keys have a pattern or not."""
    by_pattern: list[dict[str, Any]] = list(prop.get("patternProperties", {}).values())
    return by_pattern[0] if by_pattern else prop.get("additionalProperties") or {}


def _default(prop: dict[str, Any]) -> str:
    default = prop.get("default")
    if isinstance(default, dict) or default in (None, [], ""):
        return ""
    if isinstance(default, list):
        return ", ".join(f"`{item}`" for item in default)
    if isinstance(default, bool):
        return f"`{str(default).lower()}`"
    if prop.get("title") == "size":
        return f"`{default >> 20}MiB`"
    return f"`{default}s`" if prop.get("title") == "duration" else f"`{default}`"


def _not_yet() -> str:
    return "## Not in this version\n\nThese are errors, not ignored: sources other than `files` and `azure`.\n"


if __name__ == "__main__":
    sys.stdout.write(page())
