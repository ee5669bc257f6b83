"""What a finding says, as a sentence for each code.

Takes evidence as JSON of the admin interface. Evidence that no sentence here knows gets none: `finding_text` then lists
its fields.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from resolver.admin.resources.wording import listed, short

Json = Mapping[str, Any]
_Sentence = Callable[[Json, str], str]
"""Makes the sentence from the evidence and the subject."""


def sentence(code: str, evidence: Json, subject: str) -> str | None:
    """Return the sentence about the evidence of a finding; None for evidence of an unknown form."""
    made = _SENTENCES.get(code)
    try:
        return made(evidence, subject) if made else None
    except KeyError:  # the daemon is of another version than this command
        return None


def _names(evidence: Json, key: str) -> str:
    return listed(map(short, evidence[key]), evidence.get(f"{key}_total"))


def _many(evidence: Json, key: str) -> bool:
    return int(evidence.get(f"{key}_total") or len(evidence[key])) != 1


def _are(evidence: Json, key: str) -> str:
    return "are" if _many(evidence, key) else "is"


# -- contests


def _contest(why: Callable[[Json], str]) -> _Sentence:
    def made(evidence: Json, _: str) -> str:
        winners, losers = (
            listed(map(_claimant, evidence[side]), evidence.get(f"{side}_total")) for side in ("winners", "losers")
        )
        served = f"{winners} {_are(evidence, 'winners')} served" if winners else "no address is served"
        rest = f", {losers} {_are(evidence, 'losers')} not" if losers else ""
        return f"{served}{rest}: {why(evidence)}"

    return made


def _claimant(claim: Json) -> str:
    return f"{' '.join(claim['addresses'])} of {short(claim['endpoint'])}"


def _shared(evidence: Json) -> str:
    return f"all resources of the {evidence['shared_by']} share {', '.join(evidence['shared'])}"


# -- endpoints


def _waits(evidence: Json, _: str) -> str:
    return f"the connection to {short(evidence['target'])} waits for approval{_would_have(evidence)}"


def _rejected(evidence: Json, _: str) -> str:
    return f"the owner of {short(evidence['target'])} rejected the connection{_would_have(evidence)}"


def _disconnected(evidence: Json, _: str) -> str:
    return f"the connection to {short(evidence['target'])} was removed at the target{_would_have(evidence)}"


def _would_have(evidence: Json) -> str:
    names = _names(evidence, "names")
    return f"; the endpoint would have {names}" if names else ""


def _failed(evidence: Json, _: str) -> str:
    return f"the last change of the endpoint ended as {evidence['provisioning']} in Azure"


def _nameless(evidence: Json, _: str) -> str:
    items = evidence.get("add_to_names") or ()
    add = f"; an item for `names`: {'; '.join(items)}" if items else ""
    return f"the approved endpoint to {short(evidence['target'])} has no FQDN{add}"


def _misplaced(evidence: Json, _: str) -> str:
    differs = [
        f"in {kind} {each['endpoint']}, and its virtual network in {each['vnet']}"
        for kind in ("subscription", "region")
        if (each := evidence["differs"].get(kind))
    ]
    return f"the endpoint is {'; '.join(differs)}"


def _companions(evidence: Json, subject: str) -> str:
    name = short(subject).partition(" ")[0]
    return "; ".join(
        f"{name} has {_article(each['group'])} {each['group']} endpoint but none for {each['needs']}"
        + (" in the region" if each.get("within") == "region" else "")
        for each in evidence["missing"]
    )


def _article(word: str) -> str:
    return "an" if word[:1].lower() in "aeiou" else "a"


def _limits(evidence: Json, _: str) -> str:
    return "; ".join(
        f"{each['used']:,} of {each['maximum']:,} {each['limited']} that a {each['within']} can have"
        for each in evidence["limits"]
    )


def _moved(evidence: Json, _: str) -> str:
    changes = [
        f"{each['name']} had {', '.join(each['before'])} and has {', '.join(each['after'])}"
        for each in evidence["changes"]
    ]
    return listed(changes, evidence.get("changes_total"))


# -- names and addresses


def _reused(evidence: Json, _: str) -> str:
    return f"{_names(evidence, 'endpoints')} have this address; the names are {_names(evidence, 'names')}"


def _overlap(evidence: Json, _: str) -> str:
    vnets = [f"{short(each['vnet'])} ({each['prefix']})" for each in evidence["vnets"]]
    return f"the address space belongs to {listed(vnets, evidence.get('vnets_total'))}"


def _zoneless(evidence: Json, _: str) -> str:
    expected = _names(evidence, "expected_zones")
    hint = f"; these resources usually have {expected}" if expected else ""
    return f"no zone of the catalogue fits the name of {_names(evidence, 'endpoints')}{hint}"


def _wildcards(evidence: Json, _: str) -> str:
    made = [
        f"{each['wildcard']} belongs to many resources, so "
        + (f"only {', '.join(each['private'])} is served" if each["private"] else f"nothing is: {each['why_none']}")
        for each in evidence["wildcards"]
    ]
    return listed(made, evidence.get("wildcards_total"))


def _shadowed(evidence: Json, _: str) -> str:
    return f"the zone file of {evidence['zone']} has the name that {_names(evidence, 'endpoints')} claims"


def _pins(evidence: Json, _: str) -> str:
    made = [
        f"the pin to {short(each['endpoint'])}"
        + (f" in {each['network']}" if each["network"] else "")
        + (f", of {each['by']}," if each.get("by") else "")
        + f" decides nothing: {each['why']}"
        for each in evidence["pins"]
    ]
    return listed(made, evidence.get("pins_total"))


def _named(evidence: Json, _: str) -> str:
    made = [f"{each['place']} names no endpoint: {each['why']}" for each in evidence["items"]]
    return listed(made, evidence.get("items_total"))


def _excepted(evidence: Json, _: str) -> str:
    made = [f"{each['text']} ({each['place']}) matches nothing" for each in evidence["items"]]
    return listed(made, evidence.get("items_total"))


def _loops(evidence: Json, _: str) -> str:
    return f"queries for {', '.join(evidence['names'])} came back from {', '.join(evidence['brought_by'])}"


# -- sources and state


def _faults(evidence: Json, _: str) -> str:
    made = [f"{each['path']}: {each['message']}" if each["path"] else each["message"] for each in evidence["faults"]]
    return listed(made, evidence.get("faults_total"))


def _message(evidence: Json, _: str) -> str:
    kept = f"; it is now {evidence['kept_as']}" if evidence.get("kept_as") else ""
    return f"{evidence['message']}{kept}"


def _part(evidence: Json, _: str) -> str:
    return f"the file says that it is not the whole list: {_names(evidence, 'lacks')}"


def _held(evidence: Json, _: str) -> str:
    counts = [
        f"{evidence[key]} {noun}"
        for key, noun in (("endpoints", "endpoints"), ("vnets", "virtual networks"), ("zone_groups", "DNS zone groups"))
        if evidence.get(key)
    ]
    return f"a change would remove {' and '.join(counts)} ({_names(evidence, 'reasons')})"


def _disagreement(evidence: Json, subject: str) -> str:
    if "believed" in evidence:
        return f"{evidence['believed']} is used; {_names(evidence, 'others')} says otherwise"
    if "private_names" in evidence:
        made = [
            f"Azure has {each['azure']} where the catalogue derives {each['derived']} ({short(each['endpoint'])})"
            for each in evidence["private_names"]
        ]
        return listed(made, evidence.get("private_names_total"))
    if "names_total" in evidence:
        return f"{evidence['names_total']} names differ; {evidence['names_listed']} of them have a finding of their own"
    if "zones" in evidence:
        made = [f"{short(each['zone'])} is linked to {_names(each, 'vnets')}" for each in evidence["zones"]]
        return listed(made, evidence.get("zones_total"))
    return _records(evidence, subject)


def _records(evidence: Json, _: str) -> str:
    made: list[str] = []
    made += [
        f"the record {short(each['record'])} has {_addresses(each)}, which no endpoint has"
        for each in evidence.get("no_endpoint", ())
    ]
    made += [
        f"{_addresses(each)} of {short(each['endpoint'])} is in no record" for each in evidence.get("no_record", ())
    ]
    made += [
        f"the record of {short(each['endpoint'])} ({_addresses(each)}) was overwritten with {_addresses(each['by'])}"
        for each in evidence.get("overwritten", ())
    ]
    return "; ".join(made)


def _addresses(item: Json) -> str:
    addresses: Sequence[str] = item["addresses"]
    return ", ".join(addresses) or "no address"


_SENTENCES: Final[Mapping[str, _Sentence]] = {
    "conflicting-address": _contest(lambda _: "endpoints of different resources claim the name"),
    "duplicate-endpoint": _contest(lambda _: "one resource has several endpoints for this name"),
    "shared-global-name": _contest(_shared),
    "endpoint-pending": _waits,
    "endpoint-rejected": _rejected,
    "endpoint-disconnected": _disconnected,
    "provisioning-failed": _failed,
    "name-missing": _nameless,
    "endpoint-misplaced": _misplaced,
    "companion-missing": _companions,
    "limit-near": _limits,
    "address-changed": _moved,
    "address-reused": _reused,
    "network-overlap": _overlap,
    "zone-unknown": _zoneless,
    "wildcard-shared": _wildcards,
    "static-shadows-endpoint": _shadowed,
    "pin-ignored": _pins,
    "name-ignored": _named,
    "except-ignored": _excepted,
    "forward-loop": _loops,
    "invalid-record": _faults,
    "source-unreadable": _message,
    "source-incomplete": _part,
    "sync-held": _held,
    "source-disagreement": _disagreement,
    "state-unwritable": _message,
    "state-set-aside": _message,
}
