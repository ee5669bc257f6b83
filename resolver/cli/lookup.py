"""`pldns lookup`: prints what a client gets for a name, and why. Needs no daemon."""

import time
from collections.abc import Mapping
from pathlib import Path

from resolver.admin.resources.names import NameAnswer
from resolver.cli import explanation, output, skipped_rules
from resolver.cli.configuration import load
from resolver.cli.explanation import Explanation, VisibleClaim
from resolver.offline.load import offline
from zones.clocks import WallTime
from zones.dns.parsed_zones import ParsedZones


def run(path: Path, flags: Mapping[str, str], asked: tuple[str, str, str], as_json: bool) -> int:
    """Print the explanation; return 0. `asked`: name, type, and the client's address."""
    question = explanation.question(*asked)
    parsed = ParsedZones()
    accepted, now = load(path, flags, parsed), WallTime(time.time())
    found = explanation.explain(accepted, offline(accepted.control, now, parsed), question, now)
    if as_json:
        output.json_out(found.model_dump(mode="json"))
    else:
        write(found)
    return 0


def write(found: Explanation) -> None:
    """Print an explanation for people."""
    output.line(f"{found.name} {found.type} asked by {found.client}")
    output.line(f"network  {found.network}")
    output.line(f"zone     {found.zone or 'none'}")
    for step in found.steps:
        output.line(f"step     {step.name}: {step.what}")
    if found.claims:
        output.line()
        rows = [
            (
                output.short(claim.endpoint), claim.name, ", ".join(claim.addresses),
                _state(claim), "yes" if claim.visible else "no, excepted" if claim.excepted else "no",
            )
            for claim in found.claims
        ]  # fmt: skip
        output.table(("claim of", "name", "addresses", "state", "visible here"), rows)
        output.line()
    for record in found.decided:
        for answer in record.answers:
            output.line(f"winner   {_winner(answer)}")
    if skipped_rules.may_differ(answer.rule for record in found.decided for answer in record.answers):
        output.note(skipped_rules.NOTE)
    output.line(f"answer   {found.rcode or _upstream(found)}")
    for text in found.answer:
        output.line(text)


def _state(claim: VisibleClaim) -> str:
    if claim.lingers_until:
        return f"removed, lingers until {claim.lingers_until}"
    state = claim.state if claim.served else f"{claim.state}, not served"
    return f"{state}, named by the configuration" if claim.configured else state


def _winner(answer: NameAnswer) -> str:
    winners, losers = (" and ".join(map(output.short, each)) for each in (answer.endpoints, answer.losers))
    if answer.rcode == "SERVFAIL":
        return f"none of {losers} (rule: {answer.rule})"
    if not winners:
        return "records of the zone"
    over = f" over {losers}" if losers else ""
    rule = f"rule: {answer.rule}" if answer.rule else "the only visible claim"
    return f"{answer.type} {', '.join(answer.data)}: {winners}{over} ({rule})"


def _upstream(found: Explanation) -> str:
    if not found.upstream:
        return "none"
    servers = ", ".join(found.upstream.servers) or "no servers"
    return f"from upstream `{found.upstream.group}` ({servers}), asked for {found.upstream.name}"
