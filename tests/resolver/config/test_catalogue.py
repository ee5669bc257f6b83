"""`catalogue.suffixes`: accepted values, and the position and text of each mistake."""

from collections.abc import Callable

import pytest

from resolver import settings
from zones.azure.catalogue_table import SharedBy, Suffix

Load = Callable[..., settings.Accepted]
Refused = Callable[..., list[tuple[int, int, str, str]]]


def of(*suffixes: str) -> str:
    return "\n".join(["catalogue:", "  suffixes:", *(f"    - {suffix}" for suffix in suffixes)]) + "\n"


def test_control_and_workers_have_the_suffixes(accepted: Load) -> None:
    found = accepted(
        of(
            "{public: Svc.Example.Net., private: privatelink.svc.example.net, types: [My.Svc/things], groups: [web]}",
            '{public: "{regionName}.b.example", private: "privatelink.{regionName}.b.example", shared: region}',
        )
    )
    assert found.control.catalogue == found.worker.catalogue
    assert found.control.catalogue == (
        Suffix("Svc.Example.Net", "privatelink.svc.example.net", ("My.Svc/things",), ("web",)),
        Suffix("{regionName}.b.example", "privatelink.{regionName}.b.example", shared=SharedBy.REGION),
    )
    assert found.warnings == ()


@pytest.mark.parametrize(
    ("written", "by"),
    [("true", SharedBy.SERVICE), ("false", None), ("service", SharedBy.SERVICE), ("tenant", SharedBy.TENANT)],
)
def test_true_is_the_word_service(accepted: Load, written: str, by: SharedBy | None) -> None:
    found = accepted(of(f"{{public: svc.example, private: privatelink.svc.example, shared: {written}}}"))
    assert found.control.catalogue[0].shared is by


@pytest.mark.parametrize(
    ("suffix", "key", "message"),
    [
        ("{public: com, private: privatelink.com}", "public", "`com` covers names of many owners"),
        ('{public: "{region}.com", private: privatelink.com}', "public", "the last two labels"),
        ("{public: ., private: privatelink.com}", "public", "the root is above every name"),
        ("{public: a..b, private: privatelink.b}", "public", "empty label"),
        ('{public: "*.svc.example", private: privatelink.svc.example}', "public", "write no `*`"),
        ("{public: privatelink.svc.example, private: privatelink.x.example}", "public", "this is for `private`"),
        ("{public: svc.example, private: svc.example}", "private", "has no label 'privatelink'"),
        ("{public: svc.example, private: zone.svc.example}", "private", "has no label 'privatelink'"),
        (
            '{public: "{regonName}.svc.example", private: "privatelink.svc.example"}',
            "public",
            "`{regonName}` is no placeholder",
        ),
        (
            '{public: "{region}.{region}.svc.example", private: "privatelink.{region}.svc.example"}',
            "public",
            "has `{region}` more than once",
        ),
        ('{public: "x{region}.svc.example", private: "privatelink.svc.example"}', "public", "is a whole label"),
        ('{public: "svc.example", private: "{region}.privatelink.svc.example"}', "private", "has {region}, which"),
        ("{public: azure.com, private: privatelink.azure.com}", "public", "covers `management.azure.com`"),
        ('{public: "{region}.azure.com", private: privatelink.azure.com}', "public", "covers `management.azure.com`"),
        ("{public: microsoftonline.us, private: privatelink.x.us}", "public", "covers `login.microsoftonline.us`"),
        ("{public: svc.example, private: privatelink.svc.example, types: [blob]}", "types[0]", "not a resource type"),
        ("{public: svc.example, private: privatelink.svc.example, shared: all}", "shared", "must be"),
    ],
)
def test_a_mistake_has_its_place(refused: Refused, suffix: str, key: str, message: str) -> None:
    ((line, _, path, text),) = refused(of(suffix))
    assert (line, path) == (3, f"catalogue.suffixes[0].{key}")
    assert message in text


def test_a_misspelt_placeholder_has_a_hint(refused: Refused) -> None:
    ((*_, text),) = refused(of('{public: "{regonName}.svc.example", private: "privatelink.svc.example"}'))
    assert text.endswith("-> {regionName}")


def test_the_resource_manager_of_a_source_stays_public(refused: Refused) -> None:
    source = "sources: [{name: stack, type: azure, management: 'https://management.stack.example'}]\n"
    suffix = of("{public: stack.example, private: privatelink.stack.example}")
    ((_, _, path, text),) = refused(source + suffix)
    assert path == "catalogue.suffixes[0].public"
    assert "covers `management.stack.example`" in text


def test_a_suffix_is_listed_once_for_the_same_endpoints(accepted: Load, refused: Refused) -> None:
    first = '{public: "{region}.svc.example", private: privatelink.svc.example, types: [a/b, a/c]}'
    again = '{public: "{regionName}.SVC.example.", private: privatelink.other.example, types: [A/C]}'
    ((line, _, path, text),) = refused(of(first, again))
    assert (line, path) == (4, "catalogue.suffixes[1].public")
    assert "already in suffixes[0]" in text

    accepted(of(first, again.replace("A/C", "a/d")))
    groups = "{{public: svc.example, private: privatelink.{0}.example, groups: [{0}]}}"
    accepted(of(groups.format("one"), groups.format("two")))


def test_a_suffix_that_shadows_the_built_in_catalogue_is_a_warning_with_both_zones(accepted: Load) -> None:
    found = accepted(
        of(
            "{public: svc.example, private: privatelink.svc.example}",
            "{public: blob.core.windows.net, private: privatelink.mine.example}",
            "{public: vault.azure.net, private: privatelink.vaultcore.azure.net}",
            "{public: new.azure.com, private: privatelink.new.azure.com}",
        )
    )
    (warning,) = found.warnings
    assert "catalogue.suffixes[1] (" in warning
    assert "pldns.yaml:4)" in warning
    assert "`privatelink.mine.example`" in warning
    assert "`privatelink.blob.core.windows.net`" in warning


def test_a_suffix_below_a_built_in_one_shadows_too(accepted: Load) -> None:
    found = accepted(of("{public: x.blob.core.windows.net, private: privatelink.mine.example}"))
    assert len(found.warnings) == 1
