"""Azure's errors, explained in one line with the remedy."""

import pytest

from resolver.sources.azure.protocol import advice

CHAIN = """DefaultAzureCredential failed to retrieve a token from the included credentials.
Attempted credentials:
\tEnvironmentCredential: EnvironmentCredential is unavailable. Environment variables are not fully configured.
Visit https://aka.ms/azsdk/python/identity/environmentcredential/troubleshoot to troubleshoot this issue.
\tWorkloadIdentityCredential: WorkloadIdentityCredential requires the tenant_id.
\tManagedIdentityCredential: {managed}
\tAzureCliCredential: Azure CLI not found on path
\tAzurePowerShellCredential: PowerShell is not installed
\tAzureDeveloperCliCredential: Azure Developer CLI could not be found. Please visit https://aka.ms/azure-dev
To mitigate this issue, please refer to the troubleshooting guidelines here at https://aka.ms/azsdk."""
NONE = "ManagedIdentityCredential authentication unavailable, no response from the IMDS endpoint."
STRANGER = "ManagedIdentityCredential authentication unavailable. The requested identity has not been assigned to this."
NOBODY = (
    "no identity: give this machine a managed identity, or set `credential`; "
    "see docs/azure.md for the credentials that are tried, in their order"
)
UNASSIGNED = (
    "no token: the managed identity is not assigned to this machine: assign it, or correct `client_id` "
    "(credential.client_id, AZURE_CLIENT_ID)"
)


@pytest.mark.parametrize(
    ("message", "said"),
    [
        (CHAIN.format(managed=NONE), NOBODY),
        (CHAIN.format(managed="(400) it has\nbroken"), "no token: ManagedIdentityCredential: (400) it has broken"),
        (CHAIN.format(managed=STRANGER), UNASSIGNED),
        ("(400) Identity not found", UNASSIGNED),
        (NONE, NOBODY),
        ("Cannot connect to host h:443 ssl:default [Connect call failed]",
         "no token: h:443 issues tokens and cannot be reached: Connect call failed; see docs/azure.md"),
        ("Microsoft Entra ID error '(invalid_client) AADSTS7000215: Invalid client secret provided. Trace ID: 1'",
         "no token: the client secret is wrong; it has to be the secret's value, not its id (AADSTS7000215)"),
        ("AADSTS90002: Tenant 'x' not found.",
         "no token: there is no such tenant: credential.tenant_id (AZURE_TENANT_ID) or `cloud` is wrong (AADSTS90002)"),
        ("error: AADSTS99999: A new one\nhas come up.", "no token: AADSTS99999: A new one has come up"),
        ("a" * 500, f"no token: {'a' * 300}…"),
    ],
)  # fmt: skip
def test_why_there_is_no_token(message: str, said: str) -> None:
    assert advice.no_token(message) == said


@pytest.mark.parametrize(
    ("ahead", "said"),
    [
        (301.0, "no token: this machine's clock is 301 s ahead of Azure's; set it (NTP)"),
        (-4000.0, "no token: this machine's clock is 4000 s behind Azure's; set it (NTP)"),
        (299.0, "no token: broken"),
    ],
)
def test_a_wrong_clock_is_the_reason(ahead: float, said: str) -> None:
    assert advice.no_token("broken", ahead) == said


@pytest.mark.parametrize(
    ("status", "code", "message", "said"),
    [
        (
            401,
            "InvalidAuthenticationTokenTenant",
            "",
            r"in another tenant than the subscriptions; use one of their tenant \(cred",
        ),
        (
            401,
            "InvalidAuthenticationTokenAudience",
            "",
            "for another cloud; set the source's `cloud` to that of its `management`",
        ),
        (401, "Other", "", r"tokens are refused \(HTTP 401 Other\): Azure does not say why"),
        (
            403,
            "AuthorizationFailed",
            "long",
            r"^/p: no permission \(HTTP 403 Auth.*\): give the identity the role Reader on the subscriptions$",
        ),
        (500, "", "", "^/p: HTTP 500$"),
        (409, "Conflict", "two\n words.", "^/p: HTTP 409 Conflict: two words$"),
    ],
)
def test_refusals_are_explained(status: int, code: str, message: str, said: str) -> None:
    line = advice.answered(status, code, message, "/p", 0.0)
    assert "\n" not in line
    with pytest.raises(ValueError, match=said):
        raise ValueError(line)


def test_a_refused_subscription_names_role_scope_and_command() -> None:
    said = advice.reader("s1")
    assert (
        "the role Reader on /subscriptions/s1 (az role assignment create --role Reader --scope /subscriptions/s1"
        in said
    )


def test_a_forbidden_resource_names_its_subscription() -> None:
    said = advice.answered(403, "AuthorizationFailed", "long", "/subscriptions/s1/resourceGroups/r", 0.0)
    assert "(az role assignment create --role Reader --scope /subscriptions/s1 --assignee" in said


def test_an_unlisted_subscription_may_have_a_wrong_id() -> None:
    said = advice.unlisted("s1")
    assert said.startswith(
        "no permission, or no such subscription in the identity's tenant: give the identity the role"
    )
    assert said.endswith("; or correct its id in `subscriptions`")
