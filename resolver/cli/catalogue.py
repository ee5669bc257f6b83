"""`pldns catalogue`: prints the catalogue of private-link zones, or how it maps one name. Needs no daemon.

Reads no source. Reads the configuration for its `catalogue.suffixes` if there is one.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from resolver.cli import output
from resolver.cli.failure import Failed
from zones.azure.catalogue import catalogue
from zones.azure.catalogue_rows import CatalogueRow, CatalogueRows, MappingRule, Sharing
from zones.azure.catalogue_table import Suffix
from zones.azure.mapping_rule import MappedName, NameMapping, mapping
from zones.dns.name import InvalidName, Name, from_text, to_text

_RULES: Final = {
    MappingRule.EXCEPTION: "an exception from the rule of its suffix",
    MappingRule.CONFIGURED: "`catalogue.suffixes` of the configuration",
    MappingRule.TABLE: "Microsoft's table",
    MappingRule.ADDED: "an addition to Microsoft's table",
    MappingRule.LABEL: "the label `privatelink` alone; no zone of the catalogue fits",
}


def run(name: str | None, config: Path | None, default: Path, cloud: str | None, as_json: bool) -> int:
    """Print the rows, or the mapping of `name`; return 0. Raises `Failed`.

    `config` is the configuration file; None: `default` if that file exists.
    """
    suffixes = _configured(config, default)
    rows = CatalogueRows(catalogue(suffixes), suffixes)
    if name is not None:
        found = mapping(_parse(name), rows)
        if as_json:
            output.data(_mapping_json(found))
        else:
            _write(found)
        return 0
    shown = [row for row in rows if cloud in {None, row.cloud}]
    if as_json:
        output.data(list(map(_row_json, shown)))
    else:
        columns = ("public", "private", "rule", "cloud", "resource type", "groups", "shared by", "service")
        output.table(columns, list(map(_cells, shown)))
    return 0


def _configured(config: Path | None, default: Path) -> tuple[Suffix, ...]:
    path = config or (default if default.exists() else None)
    if path is None:
        return ()
    from resolver.cli.configuration import load  # noqa: PLC0415 - loads pydantic, which only this case needs

    return load(path, {}).control.catalogue


def _parse(text: str) -> Name:
    try:
        return Name(from_text(text).lower())
    except InvalidName as error:
        raise Failed(f"{text}: not a domain name: {error}") from None


def _cells(row: CatalogueRow) -> tuple[str, ...]:
    # The names themselves, of which a row may have a dozen, are in the JSON and in the answer for one name.
    shared = dict.fromkeys(f"{each.by} (some names)" if each.names else f"{each.by}" for each in row.shared)
    return (
        row.public or "-", row.private or "-", row.rule, row.cloud, ", ".join(row.resource_types),
        ", ".join(row.groups), ", ".join(shared), row.service,
    )  # fmt: skip


def _row_json(row: CatalogueRow) -> dict[str, Any]:
    return {
        "rule": row.rule, "cloud": row.cloud or None, "service": row.service or None, "entry": row.entry or None,
        "resource_types": row.resource_types, "groups": row.groups, "public": row.public or None,
        "private": row.private or None,
        "shared": _sharing_json(row.shared),
        "source": row.source or None,
    }  # fmt: skip


def _mapping_json(found: NameMapping) -> dict[str, Any]:
    return {
        "name": to_text(found.name),
        "kind": _kind(found),
        "publics": list(map(to_text, found.publics)),
        "mapped": [
            {
                "private": to_text(each.private.name), "zone": to_text(each.private.zone), "rule": each.rule,
                "suffix": each.suffix or None, "entries": each.entries, "resource_types": each.resource_types,
                "groups": each.groups, "source": each.source or None,
            }
            for each in found.mapped
        ],
        "suffix": found.at_suffix or None,
        "shared": _sharing_json(found.shared),
        "shared_wildcard": found.wildcard or None,
        "private_wildcard": found.private_form or None,
    }  # fmt: skip


def _sharing_json(shared: Iterable[Sharing]) -> list[dict[str, Any]]:
    return [{"by": each.by, "groups": each.groups, "names": each.names} for each in shared]


def _kind(found: NameMapping) -> str:
    if found.is_private:
        return "private"
    return "public" if found.mapped else "other"


def _write(found: NameMapping) -> None:
    _fact("name", to_text(found.name))
    for mapped in found.mapped:
        private, zone = map(to_text, mapped.private)
        if found.is_private:
            _fact("public", ", ".join(map(to_text, found.publics)) or _why_no_public(mapped))
        else:
            _fact("private", private)
        _fact("zone", zone)
        _fact("rule", _rule(mapped))
        _fact("only for", _listed("endpoints of ", mapped.resource_types) or _listed("the group ", mapped.groups))
        _fact("entries", ", ".join(mapped.entries))
        _fact("source", mapped.source)
    if not found.mapped:
        _fact("private", "none: " + _why_none(found))
    for shared in found.shared:
        _fact("shared", f"by all resources of the {shared.by}" + _listed(", for the group ", shared.groups))
    if found.wildcard:
        _fact("wildcard", f"{found.wildcard} is shared by many resources; no endpoint owns names below")
    if found.private_form:
        _fact("served", f"{found.private_form}, for each endpoint with that wildcard")


def _fact(label: str, text: str) -> None:
    if text:
        output.line(f"{label:<9}{text}")


def _rule(mapped: MappedName) -> str:
    return _RULES[mapped.rule] + (f", suffix {mapped.suffix}" if mapped.suffix else "")


def _listed(what: str, values: Iterable[str]) -> str:
    text = ", ".join(values)
    return f"{what}{text}" if text else ""


def _why_no_public(mapped: MappedName) -> str:
    name, zone = mapped.private
    return "none: the name is the private zone itself" if name == zone else "none follows from the private name"


def _why_none(found: NameMapping) -> str:
    if not found.at_suffix:
        return "no public suffix of the catalogue is above the name"
    if found.at_suffix == to_text(found.name):
        return "the name is a public suffix itself; names below have private names"
    return f"no private name follows from names below {found.at_suffix}"
