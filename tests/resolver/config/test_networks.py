"""Networks of the configuration beside those of `networks: auto`."""

from collections.abc import Callable

from resolver import settings
from resolver.host_port import HostPort

Load = Callable[..., settings.Accepted]


def test_auto_networks_and_configured_networks_go_together(accepted: Load) -> None:
    by_hand = "{name: weu, clients: [10.0.0.0/8]}"
    for text, names in (("auto", []), ("[auto]", []), (f"[auto, {by_hand}]", ["weu"]), (f"[{by_hand}, auto]", ["weu"])):
        found = accepted(f"networks: {text}\nsources: [{{name: a, type: files, path: .}}]")
        for part in (found.worker, found.control):
            assert part.auto
            assert [network.name for network in part.networks] == names
    assert not accepted(f"networks: [{by_hand}]").control.auto


def test_with_auto_networks_a_network_name_may_be_unknown(accepted: Load) -> None:
    found = accepted(
        "networks: auto\n"
        "dns: {listeners: {'127.0.0.1:53': spoke@rg-(1)}}\n"
        "conflicts: {pins: [{name: a.example, endpoint: e, network: spoke@rg@1111}]}"
    )
    assert found.worker.listeners == (settings.NetworkListener(HostPort("127.0.0.1", 53), "spoke@rg-(1)"),)
    assert any("finds no virtual network" in warning for warning in found.warnings)
