"""The upstream group for a name."""

from hypothesis import given
from hypothesis import strategies as st

from resolver.forward.routing import PUBLIC, UpstreamGroups
from resolver.settings import Server, UpstreamGroup
from zones.dns.name import Name, from_labels, from_text, is_under

SERVER = Server("udp", "127.0.0.1", 53)


def upstreams(**suffixes: tuple[str, ...]) -> UpstreamGroups:
    return UpstreamGroups([UpstreamGroup(group, (SERVER,), names) for group, names in suffixes.items()])


def test_the_longest_suffix_on_label_boundaries_wins() -> None:
    groups = upstreams(public=(), corp=("corp.example",), lab=("lab.corp.example", "lab.example"))
    routes = {
        "corp.example": "corp",
        "www.corp.example": "corp",
        "xcorp.example": PUBLIC,
        "lab.corp.example": "lab",
        "a.b.lab.corp.example": "lab",
        "example": PUBLIC,
        ".": PUBLIC,
    }
    assert {name: groups.route(from_text(name)) for name in routes} == routes


def test_suffixes_are_folded_and_the_root_takes_everything() -> None:
    groups = upstreams(corp=("Corp.Example.",), rest=(".",))
    assert groups.route(from_text("WWW.corp.example")) == "corp"
    assert groups.route(from_text("example")) == "rest"
    assert groups.route(from_text(".")) == "rest"


def test_the_covering_suffix_and_its_group() -> None:
    groups = upstreams(public=(), corp=("corp.example",))
    assert groups.covering_suffix(from_text("a.corp.example")) == (from_text("corp.example"), "corp")
    assert groups.covering_suffix(from_text("other.example")) is None


def test_groups_are_found_by_name() -> None:
    groups = upstreams(corp=("corp.example",))
    group = groups.group("corp")
    assert group is not None
    assert group.servers == (SERVER,)
    assert groups.group(PUBLIC) is None


LABELS = st.sampled_from([b"a", b"b", b"aa", b"a\x01a"])
NAMES = st.lists(LABELS, max_size=5).map(from_labels)


def slow_route(suffixes: dict[Name, str], name: Name) -> str:
    covering = [suffix for suffix in suffixes if is_under(name, suffix)]
    return suffixes[max(covering, key=len)] if covering else PUBLIC


class Wire(UpstreamGroups):
    """Groups with suffixes in wire form, because some of these names have no plain text."""

    def __init__(self, suffixes: dict[Name, str]) -> None:
        super().__init__([])
        self._suffixes = suffixes


@given(st.dictionaries(NAMES, st.sampled_from(["one", "two", "three"]), max_size=6), NAMES)
def test_routes_are_those_of_the_slow_reference(suffixes: dict[Name, str], name: Name) -> None:
    assert Wire(suffixes).route(name) == slow_route(suffixes, name)
