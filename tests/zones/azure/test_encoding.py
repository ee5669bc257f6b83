"""Files that are not the JSON or YAML that they should be: what is wrong, and where."""

import json

import pytest

from tests.zones.azure.test_arm import ENDPOINT, SHORT, SHORT_READ, endpoint_json
from zones.azure import arm
from zones.azure.encoding import Document, UnreadableDocument
from zones.azure.resource import Resources


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_byte_order_marks_are_understood(encoding: str) -> None:
    data = json.dumps([endpoint_json()]).encode(encoding)
    assert arm.read(data, "f", form="json") == Resources((ENDPOINT,))
    assert arm.read(SHORT.encode(encoding), "f", form="yaml") == Resources(SHORT_READ)


@pytest.mark.parametrize(
    ("data", "line", "column"),
    [
        (b"", 1, 1),
        (b'{"value": [', 1, 12),
        (b'{\n "value": [1,]\n}', 2, 14),
        ('{\n "é": tru}'.encode(), 2, 8),
        (b"[] ]", 1, 4),
        (b'[] \n[{"id": "x"', 2, 12),
        (b"[],[]", 1, 3),
        (b"  \n", 1, 1),
        (b"\x1f\x8b\x08\x00", 1, 1),
        (b"[NaN]", 1, 2),
        (b"3", 1, 1),
        (b"null", 1, 1),
        (b"{}", 1, 1),
        (b'{"error": {"code": "AuthorizationFailed"}}', 1, 1),
        (b'{"value": {"a": 1}}', 1, 1),
        (b'{"data": {"columns": 3, "rows": []}}', 1, 1),
        (b"\xff\xfe\x00", 1, 1),
        (b"[" * 100_000, 1, 1),
        (b'{"body":' * 100_000 + b"1" + b"}" * 100_000, 1, 1),
    ],
)
def test_invalid_json_is_unreadable_with_line_and_column(data: bytes, line: int, column: int) -> None:
    with pytest.raises(UnreadableDocument, match=f"^line {line}, column {column}: ") as caught:
        arm.read(data, "f", form="json")
    assert (caught.value.line, caught.value.column) == (line, column)


@pytest.mark.parametrize(
    ("data", "place", "words"),
    [
        (b"<!DOCTYPE html><html></html>", "line 1, column 1", "a web page or XML, not JSON"),
        (b"\n  <?xml version='1.0'?>", "line 2, column 3", "a web page or XML, not JSON"),
        (b"[]\nERROR: AADSTS700082: expired\n[]", "line 2, column 1", "a message of a command that failed"),
        (b"ERROR: Please run 'az login'", "line 1, column 1", "a message of a command that failed"),
        (b"id,name\n/s/x,pe\n", "line 1, column 1", "not JSON, which begins with"),
        (b"- id: /s/x\n", "line 1, column 2", "YAML is read from files that end in .yaml or .yml"),
        (b'[{"id": "x",}]', "line 1, column 13", "JSON is malformed: trailing comma in object"),
        (
            b'{"$schema": "https://example.com/schemas/2019-04-01/deploymentTemplate.json#", "resources": []}',
            "line 1, column 1",
            "an ARM template, which does not say what exists: export `az network private-endpoint list`",
        ),
    ],
)
def test_a_file_of_another_kind_is_called_by_its_name(data: bytes, place: str, words: str) -> None:
    with pytest.raises(UnreadableDocument) as caught:
        arm.read(data, "f", form="json")
    assert str(caught.value).startswith(f"{place}: ")
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("data", "line", "column"),
    [
        (b"", 1, 1),
        (b"just text", 1, 1),
        (b"endpoints:\n- name: [", 3, 1),
        (b"endpoints:\n\t- name: x", 2, 1),
        (b"a: 1\n---\nb: [", 4, 1),
        (b"a: 2001-99-99", 1, 1),
        (b"a: !!python/object:os.system x", 1, 4),
        (b"a:\n  b: \x01", 2, 6),
        (b"a:\n  b: \xff", 2, 6),
        (b"endpoints:\n" + b"- " * 100_000, 2, 195),
        (b"[" * 100_000, 1, 101),
    ],
)
def test_invalid_yaml_is_unreadable_with_line_and_column(data: bytes, line: int, column: int) -> None:
    with pytest.raises(UnreadableDocument) as caught:
        arm.read(data, "f", form="yaml")
    assert caught.value.line == line
    assert abs(caught.value.column - column) <= 2, caught.value  # the pure Python loader and libyaml differ slightly


def test_yaml_of_98_nested_lists_is_read_and_one_more_is_refused() -> None:
    assert Document(b"[" * 98 + b"]" * 98, "yaml").roots  # the stream and the document are levels too
    with pytest.raises(UnreadableDocument, match="nested too deeply"):
        Document(b"[" * 99 + b"]" * 99, "yaml")


def test_nested_yaml_aliases_do_not_exhaust_memory() -> None:
    lines = ["a0: &a0 [x]"] + [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 30)]
    data = "\n".join([*lines, "endpoints:", "- name: bare", "- name: *a29"]).encode()
    resources = arm.read(data, "f", form="yaml")
    assert resources.endpoints == SHORT_READ[2:]
    assert len(resources.faults) == 1
