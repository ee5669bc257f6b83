"""Pages that form a complete result, and pages that do not."""

from typing import Any

import msgspec
import pytest

from resolver.sources.azure.protocol import pages
from resolver.sources.azure.protocol.graph_query import VNETS, GraphQuery
from resolver.sources.azure.protocol.pages import Incomplete, PageCheck, Pages
from tests.fake_azure import shapes
from zones.azure.resource import Resources

ONE, TWO = shapes.subscription_id(1), shapes.subscription_id(2)


def row(number: int, own: str = ONE, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
    """Return a row as Resource Graph has it: an endpoint joined with its NIC."""
    name = f"st{number}.blob.core.windows.net"
    endpoint, nic = shapes.endpoint(shapes.group(own), f"pe{number}", {name: f"10.0.0.{number}"})
    joined = {"nicId": nic["id"], "ipConfigurations": nic["properties"]["ipConfigurations"]}
    return {key: endpoint[key] for key in ("id", "name", "location", "properties")} | joined | more


def body(*rows: Any, total: int | None = None, then: str = "", **more: Any) -> bytes:  # noqa: ANN401 - as above
    said = {"totalRecords": len(rows) if total is None else total, "count": len(rows), "data": rows}
    said |= {"facets": [], "resultTruncated": "false"} | ({"$skipToken": then} if then else {}) | more
    return msgspec.json.encode(said)


def read(*bodies: bytes) -> dict[str, Resources]:
    query, cache = GraphQuery(VNETS, [ONE, TWO]), Pages()
    found = [query.take(each, cache) for each in bodies]
    assert query.token is None
    return cache.together(found, [ONE, TWO])


def names(found: dict[str, Resources]) -> dict[str, list[str]]:
    return {name: [each.name for each in part.endpoints] for name, part in found.items()}


def test_pages_are_joined_by_subscription() -> None:
    found = read(body(row(1), row(2, TWO), total=3, then="a"), body(row(3), total=3))
    assert names(found) == {ONE: ["pe1", "pe3"], TWO: ["pe2"]}
    assert [nic.endpoint.rpartition("/")[2] for nic in found[ONE].nics] == ["pe1", "pe3"]


def test_an_empty_result_is_complete() -> None:
    assert read(body()) == {ONE: Resources(), TWO: Resources()}


def test_an_endpoint_with_two_nics_is_kept_once_with_both() -> None:
    second = row(1)["nicId"] + "b"
    found = read(body(row(1), total=2, then="a"), body(row(1, nicId=second), total=2))
    assert names(found)[ONE] == ["pe1"]
    assert len(found[ONE].nics) == 2


@pytest.mark.parametrize(
    ("bodies", "said"),
    [
        ([body(row(1), row(2), total=4, then="a")] * 2, "pe1 came twice"),
        ([body(row(1), total=2, then="a"), body(row(2), total=2, then="a")], "announced twice"),
        ([body(row(1), row(2), total=3)], "2 of 3 rows came"),
        ([body(row(1), total=2, then="a"), body(row(2), total=3)], "the estate changed meanwhile: 2 rows, then 3"),
        ([body(row(1), total=1, count=2)], "a page of 2 rows has 1"),
        ([body(total=1, then="a")], "an empty page that is not the last"),
        ([body(row(1), resultTruncated="true")], "rows were left out, and no token leads to them"),
        ([body(row(1), resultTruncated=True)], "rows were left out, and no token leads to them"),
        ([b'{"totalRecords": 1'], "its answer cannot be read"),
        ([b'{"error": {}}'], "its answer cannot be read"),
        ([b"<html>"], "its answer cannot be read"),
        ([body(1)], "its rows cannot be read"),
        (
            [msgspec.json.encode({"totalRecords": 1, "count": 1, "data": {"columns": [], "rows": []}})],
            "its rows cannot",
        ),
    ],
)
def test_incomplete_pages_are_refused(bodies: list[bytes], said: str) -> None:
    with pytest.raises(Incomplete, match=said) as caught:
        read(*bodies)
    assert str(caught.value).startswith("Resource Graph: ")


def test_rows_without_an_id_are_faults_and_not_repetitions() -> None:
    nameless = {"id": "", "type": "microsoft.network/privateendpoints"}
    found = read(body(nameless, nameless | {"name": "b"}, row(1)))
    assert names(found)[ONE] == ["pe1"]
    assert len(found[ONE].faults) == 2


def test_a_fault_belongs_to_the_subscription_of_its_row() -> None:
    found = read(body(row(1), row(2, TWO, properties=5)))
    assert names(found) == {ONE: ["pe1"], TWO: []}
    assert not found[ONE].faults
    assert found[TWO].faults[0].subject == row(2, TWO)["id"]


def test_a_subscription_out_of_scope_is_left_out() -> None:
    cache = Pages()
    page = GraphQuery(VNETS, [ONE, TWO]).take(body(row(1), row(2, TWO)), cache)
    assert names(cache.together([page], [TWO])) == {TWO: ["pe2"]}


def test_a_page_is_parsed_once_for_each_content(monkeypatch: pytest.MonkeyPatch) -> None:
    reads: list[bytes] = []
    real = pages._read

    def counted(rows: bytes) -> pages.ResourcePage:
        reads.append(rows)
        return real(rows)

    monkeypatch.setattr(pages, "_read", counted)
    cache = Pages()
    for rows, times in ((b'[{"id":"a"}]', 1), (b'[{"id":"a"}]', 1), (b'[{"id":"b"}]', 2), (b'[{"id":"b"}]', 2)):
        cache.begin()
        cache.read(rows)
        assert len(reads) == times
    cache.begin()
    cache.read(b'[{"id":"a"}]')
    assert len(reads) == 3, "a page that two syncs did not have is forgotten"


def test_an_unchanged_subscription_is_the_same_object() -> None:
    cache = Pages()

    def sync(*rows: Any) -> dict[str, Resources]:  # noqa: ANN401 - as above
        cache.begin()
        return cache.together([cache.read(msgspec.json.encode([each])) for each in rows], [ONE, TWO])

    first = sync(row(1), row(2), row(3, TWO))
    second = sync(row(1), row(2), row(4, TWO))
    assert second[ONE] is first[ONE]
    assert names(second)[TWO] == ["pe4"]
    assert names(sync(row(1), row(4, TWO))) == {ONE: ["pe1"], TWO: ["pe4"]}


def test_rows_are_checked_over_pages() -> None:
    check = PageCheck()
    check.rows(("a", "", "b"))
    check.rows(("c", ""))
    assert check.count == 5
    with pytest.raises(Incomplete, match="b came twice"):
        check.rows(("b",))


def test_groups_are_no_larger_than_asked_for() -> None:
    assert list(pages.groups("abcde", 2)) == [["a", "b"], ["c", "d"], ["e"]]
    assert list(pages.groups((), 2)) == []
