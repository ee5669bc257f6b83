"""What a refusal must say."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from resolver.registry.model.failure import ArmFailure


@contextmanager
def refused(code: str, *words: str, status: int = 400) -> Iterator[None]:
    """Expect a failure with Azure's status and code and a sentence that has these words in it."""
    with pytest.raises(ArmFailure) as caught:
        yield
    failure = caught.value
    assert (failure.status, failure.code) == (status, code)
    assert failure.message.endswith("."), failure.message
    assert all(word in failure.message for word in words), failure.message
