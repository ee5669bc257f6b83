"""Status and findings as HTML that needs no JavaScript: what the script of the page replaces with more.

Does not know the frame around them, or how a request is answered.
"""

from collections.abc import Iterable, Sequence

from resolver.admin.resources.findings import FindingItem
from resolver.admin.resources.overview import Overview, OverviewSource
from resolver.admin.resources.wording import short
from resolver.dashboard.markup import Child, Html, element, joined


def overview(shown: Overview) -> Html:
    """Return the health, the numbers, the sources and the upstream groups."""
    numbers, traffic, severities = shown.counts, shown.traffic, shown.counts.findings
    ratio = traffic.cache_hit_ratio
    rates = f"{traffic.private_per_second:,} private, {traffic.public_per_second:,} public"
    open_findings = ", ".join(f"{count} {each}" for each, count in severities.items())
    facts: tuple[tuple[str, Child], ...] = (
        ("Endpoints", f"{numbers.endpoints:,}, {numbers.served:,} served"),
        ("Names", f"{numbers.names:,}"),
        ("Open findings", element("a", open_findings, href="findings")),
        ("Queries per second", f"{traffic.queries_per_second:,}: {rates}"),
        ("Cache hits", "none yet" if ratio is None else f"{ratio:.0%}"),
        ("Version", shown.version),
    )  # fmt: skip
    reasons = [element("li", each) for each in shown.health.reasons]
    return joined(
        element("p", shown.health.sentence, class_=f"health {shown.health.state}"),
        element("ul", *reasons) if reasons else None,
        element("dl", *(joined(element("dt", term), element("dd", value)) for term, value in facts), class_="facts"),
        element("h2", "Sources"),
        _table(("Name", "Type", "State", "Last read", "Problem"), map(_source, shown.sources)),
        element("h2", "Upstream groups"),
        _table(
            ("Group", "Servers", "Down"),
            ([each.group, str(each.servers), ", ".join(each.down) or "none"] for each in shown.upstreams),
        ),
        element("p", f"As of {shown.at}.", class_="quiet"),
    )


def findings(items: Iterable[Html], following: str | None) -> Html:
    """Return a page of findings. `following`: the address of the next page."""
    rows = list(items)
    if not rows:
        return element("p", "There are no findings.", class_="empty")
    more = element("p", element("a", "More findings", href=following)) if following else None
    return joined(_rows(("Severity", "Finding", "Subject", "What was found", "What pldns does"), rows), more)


def finding(item: FindingItem) -> Html:
    """Return the row of one finding."""
    given = item.acknowledged
    note = f" Acknowledged by {given.by}: {given.note}" if given else ""
    return _row(
        (
            element("span", item.severity, class_=f"severity {item.severity}"),
            element("code", item.code), " ".join(map(short, item.subject.split(" "))), item.text + note, item.action,
        )
    )  # fmt: skip


def _source(each: OverviewSource) -> Sequence[Child]:
    state = "held" if each.held else each.freshness or "unread"
    return each.name, each.type, state, each.last_success or "never", each.last_error


def _table(names: Sequence[str], rows: Iterable[Sequence[Child]]) -> Html:
    return _rows(names, [_row(row) for row in rows])


def _rows(names: Sequence[str], rows: Sequence[Html]) -> Html:
    if not rows:
        return element("p", "None.", class_="empty")
    head = element("thead", element("tr", *(element("th", name, scope="col") for name in names)))
    return element("div", element("table", head, element("tbody", *rows)), class_="scroll")


def _row(cells: Iterable[Child]) -> Html:
    return element("tr", *(element("td", element("bdi", cell)) for cell in cells))
