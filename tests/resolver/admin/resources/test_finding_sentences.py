"""Every finding is a sentence, whatever its evidence."""

from enum import Enum
from types import UnionType
from typing import Annotated, Any, get_args, get_origin

import msgspec
import pytest
from msgspec import structs

from resolver.admin.resources.evidence import encoded
from resolver.admin.resources.finding_sentences import sentence
from zones.findings.codes import TYPES
from zones.findings.evidence import Evidence, Listed

PE = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Network/privateEndpoints/pe"


def sample(kind: Any) -> Any:  # noqa: ANN401 - a type, and a value of it
    """Return a value of a type of evidence, with one item in each list."""
    origin, inner = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return sample(inner[0])
    if origin is UnionType:
        return sample(inner[0])
    if origin is Listed:
        return Listed((sample(inner[0]),), 3)
    if origin is tuple:
        return (sample(inner[0]),)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return next(iter(kind))
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return kind(**{field.name: sample(field.type) for field in structs.fields(kind)})
    if kind is str:
        return PE
    return kind(1) if isinstance(kind, type) else 1.0


@pytest.mark.parametrize("kind", TYPES, ids=lambda kind: kind.__name__)
def test_every_type_of_evidence_has_a_sentence(kind: type[Evidence]) -> None:
    evidence = sample(kind)
    text = sentence(kind.code, encoded(evidence), PE)
    assert text
    assert "; " not in text[-2:]
    assert "{" not in text
    assert "None" not in text


def test_evidence_of_an_unknown_code_or_form_has_none() -> None:
    assert sentence("of-the-future", {}, PE) is None
    assert sentence("name-missing", {}, PE) is None
