"""The OpenAPI document and the generated page, compared with what the interface serves."""

import json
import re
from collections.abc import Iterator
from typing import Any

from openapi_spec_validator import OpenAPIV31SpecValidator

from resolver.admin.reference import page
from resolver.admin.resources.sources import SourceItem, SyncItem
from resolver.admin.resources.status import Ready
from resolver.admin.routes import ROUTES
from tests.paths import ROOT
from tests.resolver.admin.json_client import BLOB, Client, get

REQUIRED = {
    "/v1/claims": "?name=twice.blob.core.windows.net",
    "/v1/diff": "?since=1h",
    "/v1/explain": "?name=a.example",
    "/v1/map/search": "?text=a",
}

Control = Any  # of conftest


async def test_openapi_describes_every_path_and_defines_every_schema(client: Client) -> None:
    body = await get(client, "/v1/openapi.json")
    assert body["openapi"].startswith("3.1.")
    assert set(body["paths"]) == {path for route in ROUTES for path in (route.path, *route.aliases)}
    named = set(re.findall(r'"#/components/schemas/(\w+)"', json.dumps(body)))
    assert named <= set(body["components"]["schemas"])
    parameters = {each["name"]: each for each in body["paths"]["/v1/findings"]["get"]["parameters"]}
    assert parameters["severity"]["schema"] == {
        "type": "array", "items": {"type": "string", "enum": ["error", "warning", "info"]}
    }  # fmt: skip
    assert parameters["limit"]["schema"] == {"type": "integer", "minimum": 1, "maximum": 10_000, "default": 1000}


async def test_every_response_has_the_keys_of_its_model(client: Client) -> None:
    for route in ROUTES:
        if route.returns is None or route.returns is Ready or route.body or route.path.startswith("/v1/registry/"):
            continue
        path = route.path.replace("{zone}", BLOB).replace("{name}", "estate") + REQUIRED.get(route.path, "")
        path = path.replace("{id}", (await get(client, "/v1/findings"))["items"][0]["id"])
        body = await get(client, path)
        for item in body["items"] if route.listed else [body]:
            assert set(item) == set(route.returns.model_fields), route.path


async def test_operations_have_names_and_errors(client: Client) -> None:
    body = await get(client, "/v1/openapi.json")
    operations = {(method, path): each for path, item in body["paths"].items() for method, each in item.items()}
    names = [each["operationId"] for each in operations.values()]
    assert len(set(names)) == len(names)
    assert operations["get", "/v1/zones/{zone}/records"]["operationId"] == "listZonesRecords"
    assert operations["post", "/v1/cache"]["operationId"] == "postCache"
    for (method, path), each in operations.items():
        statuses = {"400", "405", "421", "500"} | ({"408", "413", "415"} if method == "post" else set())
        statuses |= set() if each["x-pldns-role"] == "none" else {"401", "403"}
        assert statuses <= set(each["responses"]), path


def _schemas(schema: object, beside: object = None) -> Iterator[tuple[dict[str, Any], object]]:
    """Yield each schema of a document, with the alternatives among which it is."""
    if isinstance(schema, dict):
        yield schema, beside
        for key, value in schema.items():
            yield from _schemas(value, value if key == "anyOf" else None)
    elif isinstance(schema, list):
        for each in schema:
            yield from _schemas(each, beside)


async def test_only_a_reference_has_the_alternative_null(client: Client) -> None:
    for schema, beside in _schemas(await get(client, "/v1/openapi.json")):
        if schema.get("type") == "null":
            assert isinstance(beside, list)
            (other,) = (each for each in beside if each != schema)
            assert list(other) == ["$ref"]


async def test_the_document_is_valid(client: Client) -> None:
    OpenAPIV31SpecValidator(await get(client, "/v1/openapi.json")).validate()


async def test_keys_that_responses_leave_out_are_never_null(client: Client) -> None:
    schemas = (await get(client, "/v1/openapi.json"))["components"]["schemas"]
    assert schemas["ProblemDetails"]["properties"]["detail"] == {"type": "string"}
    assert schemas["Ready"]["properties"]["workers"]["type"] == "array"
    assert schemas["FlushRequest"]["properties"]["type"]["type"] == ["string", "null"]
    assert schemas["SourceItem"]["properties"]["freshness"]["enum"][-1] is None
    assert schemas["EndpointList"]["properties"]["items"]["items"] == {"$ref": "#/components/schemas/EndpointItem"}


async def test_a_verbose_readiness_has_the_keys_of_its_models(client: Client, control: Control) -> None:
    for lacking, status in (([], 200), (["source estate: not read yet"], 503)):
        control.lacking = lacking
        body = await get(client, "/readyz?verbose", status)
        (source,) = body["sources"]
        assert set(source) == set(SourceItem.model_fields)
        assert set(source["sync"]) == set(SyncItem.model_fields)
        assert set(await get(client, "/readyz", status)) & {"sources", "workers"} == set()


def test_the_page_of_the_interface_is_up_to_date() -> None:
    there = ROOT / "docs" / "admin-api.md"
    assert there.read_text() == page(), "run: python -m resolver.admin.reference > docs/admin-api.md"
