"""Pages of a longer list: which files lack rows, and which are complete with the pages beside them."""

import json
from typing import Any

import pytest

from zones.azure import arm
from zones.azure.file_pages import lacking

GROUP = "/subscriptions/{}/resourceGroups/rg/providers/Microsoft.Network/{}/{}"
NEXT = "https://management.azure.com/subscriptions/s1/providers/Microsoft.Network/privateEndpoints?$skiptoken="


def row(number: int, kind: str = "privateEndpoints", subscription: str = "s1") -> dict[str, Any]:
    return {
        "id": GROUP.format(subscription, kind, f"e{number}"),
        "properties": {"privateLinkServiceConnections": [], "privateEndpoint": {"id": None}},
    }


def rows(*numbers: int, kind: str = "privateEndpoints", subscription: str = "s1") -> list[dict[str, Any]]:
    return [row(number, kind, subscription) for number in numbers]


def graph(data: list[dict[str, Any]], total: object, token: str | None = None, **more: object) -> dict[str, Any]:
    return {"count": len(data), "data": data, "skip_token": token, "total_records": total} | more


def found(**files: object) -> dict[str, tuple[str, ...]]:
    """Return what each of these files lacks, all in one folder."""
    read = {name: arm.contents(json.dumps(value).encode(), name, form="json") for name, value in files.items()}
    gaps = {name: contents.gaps for name, contents in read.items() if contents.gaps}
    return gaps | lacking({name: contents.pages for name, contents in read.items()})


@pytest.mark.parametrize(
    ("page", "reason"),
    [
        (graph(rows(1, 2, 3), 250, "t"), "3 of 250 rows"),
        (graph(rows(1, 2, 3), 250), "3 of 250 rows"),
        (graph(rows(1, 2, 3), "250"), "3 of 250 rows"),
        (graph(rows(1, 2, 3), 3, "t"), "3 of 3 rows, and more pages follow"),
        ({"count": 3, "data": rows(1, 2, 3), "totalRecords": 9, "resultTruncated": "true"}, "3 of 9 rows"),
        ({"data": rows(1, 2, 3), "resultTruncated": True}, "3 rows, and more pages follow"),
        ({"data": rows(1), "$skipToken": "t"}, "1 row, and more pages follow"),
        ({"data": rows(1), "skipToken": "t"}, "1 row, and more pages follow"),
        ({"value": rows(1), "nextLink": NEXT}, "1 row, and more pages follow"),
        ({"value": rows(1), "@odata.nextLink": NEXT}, "1 row, and more pages follow"),
        ({"body": {"value": rows(1), "nextLink": NEXT}}, "1 row, and more pages follow"),
        ({"count": 5, "data": rows(1)}, "1 of 5 rows of a page"),
        (graph(rows(1), 1e30), f"1 of {int(1e30)} rows"),
    ],
)
def test_a_page_that_is_not_the_whole_list_lacks_rows(page: dict[str, Any], reason: str) -> None:
    assert found(a=page) == {"a": (reason,)}


@pytest.mark.parametrize(
    "page",
    [
        rows(1),
        {"value": rows(1)},
        {"value": rows(1), "nextLink": None},
        {"value": rows(1), "nextLink": ""},
        {"value": rows(1), "Count": 1},
        {"value": [], "count": {"type": "Total", "value": 0}},
        graph(rows(1, 2), 2),
        graph(rows(1, 2), 2, ""),
        graph([*rows(1), *rows(1)], 2),
        {"data": rows(1), "resultTruncated": "false", "totalRecords": 1},
        {"data": rows(1), "total_records": None},
    ],
)
def test_a_whole_list_lacks_nothing(page: object) -> None:
    assert found(a=page) == {}


def test_pages_that_have_all_rows_together_lack_nothing() -> None:
    one, two, three = graph(rows(1, 2), 5, "t1"), graph(rows(3, 4), 5, "t2"), graph(rows(5), 5)
    assert found(a=one, b=two, c=three) == {}
    assert found(a=one, c=three) == {"a": ("3 of 5 rows",), "c": ("3 of 5 rows",)}
    assert found(a=[one, two, three]) == {}
    assert found(a=[one, two]) == {"a": ("4 of 5 rows",)}


def test_a_page_that_is_there_twice_counts_once() -> None:
    one, last = graph(rows(1, 2), 5, "t1"), graph(rows(1, 2), 5)
    assert found(a=one, b=one, c=last) == dict.fromkeys("abc", ("2 of 5 rows",))
    overlapping = graph(rows(2, 3), 4, "t2")
    assert found(a=graph(rows(1, 2), 4, "t1"), b=overlapping) == dict.fromkeys("ab", ("3 of 4 rows",))


def test_two_queries_with_one_total_are_two_lists() -> None:
    """There are as many endpoints as NICs. One page of each is not the whole of either."""
    nics = graph(rows(3, 4, kind="networkInterfaces"), 4)
    assert found(a=graph(rows(1, 2), 4, "t"), b=nics) == dict.fromkeys("ab", ("2 of 4 rows",))
    assert found(a=graph(rows(1, 2), 4, "t"), b=nics, c=graph(rows(3, 4), 4)) == {"b": ("2 of 4 rows",)}


def test_each_subscription_may_have_a_list_of_its_own() -> None:
    pages = {
        f"{name}{i}": graph(rows(*numbers, subscription=name), 4, token)
        for name in ("s1", "s2")
        for i, (numbers, token) in enumerate([((1, 2), f"{name}"), ((3, 4), None)])
    }
    assert found(**pages) == {}
    del pages["s21"]
    assert found(**pages) == {"s20": ("2 of 4 rows",)}


def test_linked_pages_are_complete_with_one_page_without_a_link() -> None:
    one, two = {"value": rows(1), "nextLink": NEXT + "1"}, {"value": rows(2), "nextLink": NEXT + "2"}
    last = {"value": rows(3)}
    assert found(a=one, b=two, c=last) == {}
    assert found(a=one, b=two) == dict.fromkeys("ab", ("1 row, and more pages follow",))
    assert found(a=[one, two, last]) == {}
    assert found(a=one, b={"value": []}) == {"a": ("1 row, and more pages follow",)}
    assert found(a=one, b={"value": rows(1)}) == {"a": ("1 row, and more pages follow",)}
    assert found(a=one, b={"value": rows(2, subscription="s2")}) == {"a": ("1 row, and more pages follow",)}
    assert found(a=one, b={"value": rows(2, kind="networkInterfaces")}) == {"a": ("1 row, and more pages follow",)}
    cyclic = {"value": rows(2), "nextLink": NEXT + "1"}
    assert found(a=one, b=cyclic, c=last) == dict.fromkeys("ab", ("1 row, and more pages follow",))


@pytest.mark.parametrize("total", [-1, "abc", True, 1.5, [], {}, "9" * 30])
def test_an_impossible_total_is_a_fault(total: object) -> None:
    contents = arm.contents(json.dumps(graph(rows(1), total)).encode(), "f", form="json")
    assert [fault.path for fault in contents.resources.faults] == ["total_records"]
    assert len(contents.resources.endpoints) == 1


def test_a_total_below_the_number_of_rows_is_a_fault() -> None:
    contents = arm.contents(json.dumps(graph(rows(1, 2), 1)).encode(), "f", form="json")
    assert [fault.message for fault in contents.resources.faults] == ["the total is 1, but the page has 2"]


def test_a_failed_response_of_a_batch_is_a_gap_and_the_others_are_read() -> None:
    batch = {
        "responses": [
            {"httpStatusCode": 200, "content": {"value": rows(1)}},
            {"httpStatusCode": 429, "content": {"error": {"code": "TooManyRequests"}}},
            {"httpStatusCode": 200, "content": {"value": rows(2), "nextLink": NEXT}},
            {"httpStatusCode": 200},
        ]
    }
    contents = arm.contents(json.dumps(batch).encode(), "f", form="json")
    assert [endpoint.name for endpoint in contents.resources.endpoints] == ["e1", "e2"]
    assert contents.gaps == ("responses[1]: failed with status 429", "responses[3]: no content")


def test_documents_one_after_another_are_one_file() -> None:
    for between in ("", "\n", "\r\n  "):
        data = between.join(json.dumps(value) for value in (rows(1), {"value": rows(2)}, row(3), []))
        contents = arm.contents(data.encode(), "f", form="json")
        assert [endpoint.name for endpoint in contents.resources.endpoints] == ["e1", "e2", "e3"]
        assert contents.gaps == ()
    yaml = "\n---\n".join(json.dumps(value) for value in (rows(1), {"value": rows(2)}, row(3), []))
    assert len(arm.read(yaml.encode(), "f", form="yaml").endpoints) == 3


def test_a_document_that_is_an_error_is_a_gap_beside_others() -> None:
    data = json.dumps(rows(1)) + '{"error": {"code": "AuthorizationFailed"}}'
    contents = arm.contents(data.encode(), "f", form="json")
    (gap,) = contents.gaps
    assert "document 2" in gap
    assert "AuthorizationFailed" in gap


def test_many_documents_cost_no_more_than_one() -> None:
    data = "\n".join(json.dumps(row(number)) for number in range(10_000)).encode()
    assert len(arm.read(data, "f", form="json").endpoints) == 10_000
