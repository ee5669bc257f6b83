"""The OpenAPI document and the generated page, compared with what the interface serves."""

import json
import re

from resolver.admin.reference import page
from resolver.admin.resources.status import Ready
from resolver.admin.routes import ROUTES
from tests.paths import ROOT
from tests.resolver.admin.json_client import BLOB, Client, get

REQUIRED = {
    "/v1/claims": "?name=twice.blob.core.windows.net",
    "/v1/diff": "?since=1h",
    "/v1/explain": "?name=a.example",
}


async def test_openapi_describes_every_path_and_defines_every_schema(client: Client) -> None:
    body = await get(client, "/v1/openapi.json")
    assert body["openapi"].startswith("3.1.")
    assert set(body["paths"]) == {path for route in ROUTES for path in (route.path, *route.aliases)}
    named = set(re.findall(r'"#/components/schemas/(\w+)"', json.dumps(body)))
    assert named <= set(body["components"]["schemas"])
    parameters = {each["name"]: each for each in body["paths"]["/v1/findings"]["get"]["parameters"]}
    assert parameters["severity"]["schema"]["enum"] == ["error", "warning", "info"]
    assert parameters["limit"]["schema"] == {"type": "integer", "minimum": 1, "maximum": 10_000, "default": 1000}


async def test_every_response_has_the_keys_of_its_model(client: Client) -> None:
    for route in ROUTES:
        if route.returns is None or route.returns is Ready or route.body:
            continue
        path = route.path.replace("{zone}", BLOB) + REQUIRED.get(route.path, "")
        body = await get(client, path)
        for item in body["items"] if route.listed else [body]:
            assert set(item) == set(route.returns.model_fields), route.path


def test_the_page_of_the_interface_is_up_to_date() -> None:
    there = ROOT / "docs" / "admin-api.md"
    assert there.read_text() == page(), "run: python -m resolver.admin.reference > docs/admin-api.md"
