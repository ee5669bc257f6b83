"""The schema and the reference page, which are made from the models."""

import json
from collections.abc import Callable

from resolver import settings
from resolver.config.file import schema
from resolver.config.reference import page
from tests.paths import ROOT

Load = Callable[..., settings.Accepted]


def test_the_schema_describes_every_key() -> None:
    root = schema()
    assert root["title"] == "pldns configuration"
    assert root["additionalProperties"] is False
    assert root["examples"]
    assert json.loads(json.dumps(root)) == root
    for model in (root, *root["$defs"].values()):
        assert model["description"]
        for key, prop in model["properties"].items():
            choices = [prop, *prop.get("anyOf", ())]
            referred = [root["$defs"][each["$ref"].rpartition("/")[2]] for each in choices if "$ref" in each]
            assert any(each.get("description") for each in (prop, *referred)), key


def test_the_schemas_example_is_accepted(accepted: Load) -> None:
    for example in schema()["examples"]:
        assert accepted(json.dumps(example)).control.sources


def test_the_reference_page_is_up_to_date() -> None:
    written = ROOT / "docs" / "configuration.md"
    assert written.read_text() == page(), "run: python -m resolver.config.reference > docs/configuration.md"
