"""pldns answers from the zones of this folder as Knot DNS and NSD do."""

from pathlib import Path

import pytest

from tests.conformance import differential
from tests.peers import tool


@pytest.mark.peer
@pytest.mark.parametrize("peer", sorted(differential.PEERS))
def test_zone_files_answer_as_on_other_servers(peer: str, tmp_path: Path) -> None:
    tool(differential.PEERS[peer])
    count, differences, _ = differential.compare(peer, tmp_path)
    assert count > 4_000
    assert not differences, "\n".join(map(str, differences))
