"""The OpenAPI document as a page for people: HTML without scripts, which needs nothing from another host.

The page is the same for every pldns of one version: it has nothing of the running one.
"""

import base64
import hashlib
from collections.abc import Iterator, Sequence
from html import escape
from typing import Final

from resolver.admin.schemas import Json

_STYLE: Final = """
:root { color-scheme: light dark }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 0 auto; padding: 1rem }
h2 { border-bottom: 1px solid #8884; margin-top: 2.5rem } h3 { margin: 2rem 0 .5rem } p { margin: .5rem 0 }
table { border-collapse: collapse; width: 100%; font-size: .9rem }
th, td { text-align: left; vertical-align: top; padding: .25rem .75rem .25rem 0; border-top: 1px solid #8883 }
code { font: .9em ui-monospace, monospace; overflow-wrap: anywhere }
nav a { margin-right: 1rem; white-space: nowrap }
"""
_HASH: Final = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
POLICY: Final = (
    f"default-src 'none'; style-src 'sha256-{_HASH}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""The Content-Security-Policy of the page: only its own style sheet, and no frame around it."""


def page(document: Json) -> str:
    """Return the page of a document."""
    return "\n".join(_page(document))


def _page(document: Json) -> Iterator[str]:
    title = escape(document["info"]["title"])
    yield f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
    yield f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head><body><h1>{title}</h1>'
    yield f"<p>{escape(document['info']['description'])}</p>"
    yield '<p>The document itself: <a href="openapi.json">openapi.json</a></p>'
    tags = [tag["name"] for tag in document["tags"]]
    yield "<nav>" + "".join(f'<a href="#{escape(tag)}">{escape(tag)}</a>' for tag in tags) + "</nav>"
    for tag in tags:
        yield f'<h2 id="{escape(tag)}">{escape(tag)}</h2>'
        for path, methods in document["paths"].items():
            for method, operation in methods.items():
                if tag in operation["tags"]:
                    yield from _operation(path, method, operation)
    yield '<h2 id="schemas">schemas</h2>'
    for name, schema in sorted(document["components"]["schemas"].items()):
        yield from _schema(name, schema)
    yield "</body></html>\n"


def _operation(path: str, method: str, operation: Json) -> Iterator[str]:
    yield f'<h3 id="{escape(operation["operationId"])}"><code>{method.upper()} {escape(path)}</code></h3>'
    yield f"<p>{escape(operation['summary'])} Role: {escape(operation['x-pldns-role'])}.</p>"
    rows = [
        (each["name"], each["in"], _type(each["schema"]), escape(each.get("description", "")))
        for each in operation["parameters"]
    ]
    yield from _table(("parameter", "in", "type", "meaning"), rows)
    if body := operation.get("requestBody"):
        yield f"<p>Body: {_type(body['content']['application/json']['schema'])}</p>"
    answers = [
        (status, " or ".join(_type(each["schema"]) for each in answer.get("content", {}).values()) or "no body",
         escape(answer["description"]))
        for status, answer in operation["responses"].items()
    ]  # fmt: skip
    yield from _table(("status", "body", "meaning"), answers)


def _schema(name: str, schema: Json) -> Iterator[str]:
    yield f'<h3 id="schema-{escape(name)}"><code>{escape(name)}</code></h3>'
    yield f"<p>{escape(schema.get('description', ''))}</p>"
    if "properties" not in schema:
        yield f"<p>{_type(schema)}</p>"
        return
    rows = [
        (key, _type(value), escape(value.get("description", ""))) for key, value in schema["properties"].items()
    ]  # fmt: skip
    yield from _table(("key", "type", "meaning"), rows)


def _table(names: Sequence[str], rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    if rows:
        heads = "".join(f"<th>{name}</th>" for name in names)
        yield f"<table><tr>{heads}</tr>"
        for first, *others in rows:
            yield f"<tr><td><code>{escape(first)}</code></td>{''.join(f'<td>{each}</td>' for each in others)}</tr>"
        yield "</table>"


def _type(schema: Json) -> str:
    """Return the type of a schema as HTML, with a link to a schema that has a name."""
    if "$ref" in schema:
        name = escape(schema["$ref"].rpartition("/")[2])
        return f'<a href="#schema-{name}">{name}</a>'
    if "anyOf" in schema:
        return " or ".join(map(_type, schema["anyOf"]))
    if "const" in schema or "enum" in schema:
        words = schema.get("enum", [schema.get("const")])
        return " or ".join("null" if word is None else f"<code>{escape(str(word))}</code>" for word in words)
    kind = schema.get("type", "any")
    kinds = kind if isinstance(kind, list) else [kind]
    shown = [f"list of {_type(schema['items'])}" if each == "array" else each for each in kinds]
    return " or ".join(escape(schema["format"]) if each == "string" and "format" in schema else each for each in shown)
