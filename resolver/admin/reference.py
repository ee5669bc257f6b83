"""The page docs/admin-api.md, generated from the routes and their models.

`python -m resolver.admin.reference > docs/admin-api.md` writes it; a test fails while the page is out of date.
"""

import sys
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any, Final

from resolver.admin.access.problems import Code
from resolver.admin.openapi import document
from resolver.admin.routes import ROUTES
from resolver.http_protocol import CODES

_HEAD: Final = """\
# Admin interface

<!-- Written by `python -m resolver.admin.reference`; do not edit. -->

The admin interface is HTTP over a Unix socket (`admin.socket`) and on `admin.listen`, by default
`http://127.0.0.1:8053`. A GET or HEAD request changes nothing. Changes are POST requests with a JSON body of the type
`application/json`. `/v1/openapi.json` describes the interface as OpenAPI 3.1, and `/v1/docs` shows this as a page.

- **Access**: [access.md](access.md) says who may do what. A request to `admin.listen` is refused with status 421 unless
  its `Host` header names a loopback address, `localhost`, the address it came to, or a name in `admin.hosts`: a browser
  can be made to send requests under a foreign name.
- **Lists** are `{"items": […], "next": CURSOR|null}`. `limit` is the number of items on a page: 1000 by default, at
  most 10000. Pass `next` of one page as `cursor`, with the same filters, to get the following page. Items that appear
  or disappear between two pages do not shift the others.
- **Filters** of lists (`state`, `network`, `zone`, `code`, `severity`, `name`, …) may be repeated: `?code=a&code=b`
  selects items with either code. Values are compared without regard to case, and names as domain names. A network,
  zone, code or state that does not exist is an error (`unknown-value`) that names the nearest existing ones. A zone
  exists if pldns answers it, or if the catalogue has it.
- **Errors** are problem details (RFC 9457, `application/problem+json`). Their `type` is `urn:pldns:problem:CODE`: see
  [Errors](#errors). Unknown parameters are errors (`unknown-parameter`).
- **Times** are RFC 3339 in UTC; durations are in seconds.
- **Bounded lists**: a list of networks holds the first 32, and `networks_total` counts all of them. `degraded` and
  `degraded_total` work the same way.
- **Tags**: every GET of JSON has an `ETag`. With `If-None-Match`, the same response is 304 without a body; ages do not
  count. A change with `If-Match` is refused with status 412 (`changed`) where the resource has another tag: the
  configuration, one source, one finding, the pins, the tokens or the log level. Caches have no tags.
- **New keys** may be added to any object. Clients must accept keys that they do not know.
"""


def page() -> str:
    """Return the page in Markdown."""
    described = document(ROUTES)
    schemas = described["components"]["schemas"]
    parts = [_HEAD, "## Paths\n", *_paths(described["paths"], schemas)]
    parts += _errors()
    for name in sorted(schemas):
        parts += _schema(name, schemas[name])
    return "\n".join(parts)


def _paths(paths: dict[str, Any], schemas: dict[str, Any]) -> Iterator[str]:
    yield "| path | role | description | parameters | response |\n|---|---|---|---|---|"
    for path, item in paths.items():
        for method, operation in item.items():
            parameters = ", ".join(f"`{each['name']}`" for each in operation["parameters"] if each["in"] == "query")
            if "requestBody" in operation:
                parameters = _type(operation["requestBody"]["content"]["application/json"]["schema"])
            good = next(answer for status, answer in operation["responses"].items() if status < "300")
            kind, content = next(iter(good["content"].items()))
            answer = kind if kind != "application/json" else _answer(content["schema"], schemas)
            what = f"`{path}`" if method == "get" else f"POST `{path}`"
            yield f"| {what} | {operation['x-pldns-role']} | {operation['summary']} | {parameters} | {answer} |"
    yield ""


def _errors() -> Iterator[str]:
    yield "## Errors\n\n| code | status | meaning |\n|---|---|---|"
    for code in Code:
        yield f"| `{code.code}` | {code.status} | {code.meaning} |"
    for status, name in CODES.items():
        yield f"| `{name}` | {status} | {HTTPStatus(status).description or HTTPStatus(status).phrase}. |"
    yield ""


def _answer(schema: dict[str, Any], schemas: dict[str, Any]) -> str:
    """Return the type of a response; of a page, the type of its items."""
    page = schemas[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else {}
    return _type(page["properties"]["items"]) if _is_page(page) else _type(schema)


def _is_page(schema: dict[str, Any]) -> bool:
    return list(schema.get("properties", ())) == ["items", "next"]


def _schema(name: str, schema: dict[str, Any]) -> Iterator[str]:
    if "enum" in schema or name.endswith("Evidence") or _is_page(schema):
        return
    yield f"## {name}\n\n{schema['description']}\n\n| key | type | meaning |\n|---|---|---|"
    for key, value in schema["properties"].items():
        yield f"| `{key}` | {_type(value)} | {value.get('description', '')} |"
    yield ""


def _type(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        if name == "Evidence":
            return "object"
        return "`error`, `warning` or `info`" if name == "Severity" else f"[{name}](#{name.lower()})"
    if isinstance(schema.get("type"), list):
        return " or ".join("null" if kind == "null" else _type({**schema, "type": kind}) for kind in schema["type"])
    if "anyOf" in schema:
        return " or ".join(map(_type, schema["anyOf"]))
    if "const" in schema:
        return f"`{schema['const']}`"
    if "enum" in schema:
        return " or ".join(f"`{word}`" for word in schema["enum"] if word is not None)
    if schema.get("type") == "array":
        return f"list of {_type(schema['items'])}"
    return str(schema.get("format") or schema.get("type", "any"))


if __name__ == "__main__":
    sys.stdout.write(page())
