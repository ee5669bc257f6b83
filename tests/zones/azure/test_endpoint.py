"""What an endpoint says of its target."""

import pytest

from zones.azure.endpoint import ConnectionState, Endpoint, ResourceId

STORAGE = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Storage/storageAccounts/acct"


@pytest.mark.parametrize(
    ("target", "kind"),
    [
        (STORAGE.upper(), "microsoft.storage/storageaccounts"),
        (f"{STORAGE}/blobServices/default", "microsoft.storage/storageaccounts"),
        ("pls.0000.westeurope.azure.privatelinkservice", ""),
        ("", ""),
    ],
)
def test_the_resource_type_of_a_target(target: str, kind: str) -> None:
    one = Endpoint(key=ResourceId("pe"), id="pe", name="pe", state=ConnectionState.APPROVED, target=target)
    assert one.target_type == kind
