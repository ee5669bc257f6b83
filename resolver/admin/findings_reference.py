"""Writes the reference at the end of docs/findings.md from the evidence types, so that both stay alike.

`python -m resolver.admin.findings_reference docs/findings.md`; a test fails while the page is out of date.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from resolver.admin.resources.evidence import Json, schema_of
from zones.findings.codes import TYPES

MARK: Final = "<!-- Everything below is written by `python -m resolver.admin.findings_reference`; do not edit. -->\n"


def reference() -> str:
    """Return the reference in Markdown, from the mark to the end of the page."""
    return "\n".join([MARK, *_codes(), *_evidence()])


def _codes() -> Iterator[str]:
    yield "## Codes\n\n| code | severity | meaning | what pldns does |\n|---|---|---|---|"
    rows = (f"| `{kind.code}` | {kind.severity} | {kind.meaning} | {kind.action} |" for kind in TYPES)
    yield from dict.fromkeys(rows)  # types of one code may differ only in their evidence
    yield ""


def _evidence() -> Iterator[str]:
    yield "## Evidence\n\n| code | key | type | meaning |\n|---|---|---|---|"
    for kind in TYPES:
        yield from (f"| `{kind.code}` | {row} |" for row in _rows(schema_of(kind), ""))
    yield ""


def _rows(schema: Json, prefix: str) -> Iterator[str]:
    for key, value in schema["properties"].items():
        if not key.endswith("_total") or key.removesuffix("_total") not in schema["properties"]:
            yield f"`{prefix}{key}` | {_type(value)} | {value['description']}"
            for inner in _objects(value):
                yield from _rows(inner, f"{prefix}{key}.")


def _objects(schema: Json) -> Iterator[Json]:
    """The objects that a value is, or that are in its list."""
    for each in schema.get("anyOf", [schema]):
        inner = each.get("items", each)
        if inner["type"] == "object":
            yield inner


def _type(schema: Json) -> Any:  # noqa: ANN401 - any JSON value
    if "anyOf" in schema:
        return " or ".join(map(_type, schema["anyOf"]))
    if schema["type"] == "array":
        return f"list of {_type(schema['items'])}s"
    return schema.get("format", schema["type"])


if __name__ == "__main__":
    page = Path(sys.argv[1])
    text = page.read_text(encoding="utf-8")
    page.write_text(text[: text.index(MARK)] + reference(), encoding="utf-8")
