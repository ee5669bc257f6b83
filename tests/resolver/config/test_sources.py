"""Configuration of sources of type `azure`. No problem repeats a secret."""

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from resolver import settings
from resolver.azure_settings import AzureSettings, Credential, Secret
from resolver.config.file import ConfigError, effective, schema

Load = Callable[..., settings.Accepted]
Refused = Callable[..., list[tuple[int, int, str, str]]]

A = "aaaaaaaa-0000-0000-0000-00000000000a"
B = "BBBBBBBB-0000-0000-0000-00000000000B"
MANAGEMENT = "https://management.azure.com"


def test_a_name_and_a_type_are_enough(accepted: Load) -> None:
    (source,) = accepted("sources: [{name: hub, type: azure}]").control.sources
    assert source == settings.SourceSettings("hub", "azure", MANAGEMENT, azure=AzureSettings(management=MANAGEMENT))
    assert source.azure
    assert (source.azure.interval, source.hold_down, source.azure.credential.type) == (60, 300, "default")


def test_all_keys(accepted: Load, file: Path) -> None:
    got = accepted(f"""
        sources:
        - name: hub
          type: azure
          subscriptions: [{A}, {B}]
          interval: 5m
          hold_down: 10m
          cloud: usgovernment
          management: HTTPS://Stack.Example:8443/
          on_unsynced: public
          credential:
            type: certificate
            tenant_id: contoso.onmicrosoft.com
            client_id: {B}
            certificate: {{file: keys/pldns.pem}}
            password: {{environment: PLDNS_CERTIFICATE}}
    """)
    credential = Credential(
        "certificate",
        "contoso.onmicrosoft.com",
        B.lower(),
        certificate=Secret(file=str(file.parent / "keys/pldns.pem")),
        password=Secret(environment="PLDNS_CERTIFICATE"),
    )
    azure = AzureSettings((A, B.lower()), 300, "usgovernment", "https://stack.example:8443", credential)
    assert got.control.sources == (
        settings.SourceSettings("hub", "azure", azure.management, "public", 600, 86_400, azure),
    )
    assert not got.worker.unsynced
    assert (
        msgspec.json.decode(msgspec.json.encode(got), type=settings.Accepted) == got
    )  # the form in which the supervisor receives it


@pytest.mark.parametrize(
    "management",
    [
        "http://127.0.0.1:8080",
        "http://[::1]:8080",
        "http://localhost",
        "https://[2001:db8::1]:8443",
        "https://10.0.0.4",
    ],
)
def test_origins_that_may_see_tokens(accepted: Load, management: str) -> None:
    (source,) = accepted(f"sources: [{{name: hub, type: azure, management: '{management}'}}]").control.sources
    assert source.azure
    assert source.path == source.azure.management == management


def azure(keys: str) -> str:
    return f"sources: [{{name: hub, type: azure, {keys}}}]"


PLAIN = "tokens are sent without TLS to a loopback address only"
TYPES = ("`default`", "`managed-identity`", "`workload-identity`", "`cli`", "`client-secret`", "`certificate`")
BOTH = "{file: a, environment: b}"
ID = "is not an id such as 00000000-0000-0000-0000-000000000000"


@pytest.mark.parametrize(
    ("text", "path", "message"),
    [
        (azure("subscriptions: [prod]"), "subscriptions[0]", f"`prod` {ID}"),
        (azure(f"subscriptions: [/subscriptions/{A}]"), "subscriptions[0]", f"`/subscriptions/{A}` {ID} -> {A}"),
        (azure(f"subscriptions: [{A}, {A.upper()}]"), "subscriptions[1]", f"the subscription `{A}` is listed twice"),
        (azure("subscription: []"), "subscription", "unknown key -> subscriptions"),
        (azure("path: ./a"), "path", "unknown key"),
        (azure("interval: 5s"), "interval", "must be at least 10s"),
        (azure("interval: soon"), "interval",
         "`soon` is not a duration in whole seconds such as 10s, 5m, 1h, 1d or 10"),
        (azure("cloud: usgov"), "cloud", "must be `public` or `usgovernment` or `china`"),
        (azure("management: 'http://management.example'"), "management",
         f"`http://management.example`: {PLAIN} -> https://management.example"),
        (azure("management: 'http://localhost.example'"), "management",
         f"`http://localhost.example`: {PLAIN} -> https://localhost.example"),
        (azure("management: 'http://10.0.0.4:80'"), "management",
         f"`http://10.0.0.4:80`: {PLAIN} -> https://10.0.0.4:80"),
        (azure("management: management.azure.com"), "management",
         "`management.azure.com` is not a URL such as https://management.example"),
        (azure("management: 'ftp://127.0.0.1'"), "management",
         "`ftp://127.0.0.1` is not a URL such as https://management.example"),
        (azure("management: 'https://m.example/subscriptions?x=1'"), "management",
         "`https://m.example/subscriptions?x=1`: must be a URL of only a scheme, host and port -> https://m.example"),
        (azure("management: 'https://m.example:99999'"), "management", "`https://m.example:99999` is not a URL"),
        (azure("management: 'https://m example'"), "management", "`https://m example`: `m example` is not a host name"),
        (azure("credential: {type: secret}"), "credential.type",
         f"must be {' or '.join(TYPES)} -> client-secret"),
        (azure("credential: {type: managed-identity, client_id: mine}"), "credential.client_id", f"`mine` {ID}"),
        (azure(f"credential: {{type: cli, client_id: {A}}}"), "credential.client_id",
         "a credential of type `cli` has no `client_id`"),
        (azure("credential: {type: cli, authority: 'https://a'}"), "credential.authority",
         "a credential of type `cli` has no `authority`"),
        (azure(f"credential: {{type: client-secret, client_id: {A}, tenant_id: t}}"), "credential",
         "a `client-secret` needs `secret`"),
        (azure(f"credential: {{type: client-secret, client_id: {A}, tenant_id: t, secret: {{}}}}"), "credential.secret",
         "needs either `file` or `environment`"),
        (azure(f"credential: {{type: certificate, tenant_id: t, client_id: {A}, certificate: {BOTH}}}"),
         "credential.certificate", "needs either `file` or `environment`"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_where_it_stands(refused: Refused, text: str, path: str, message: str) -> None:
    ((line, column, where, said),) = refused(text)
    assert (where, said) == (f"sources[0].{path}", message)
    assert (line, column) > (1, 1)


def test_a_secret_in_the_file_is_refused_and_not_repeated(accepted: Load) -> None:
    with pytest.raises(ConfigError) as caught:
        accepted(azure(f"credential: {{type: client-secret, tenant_id: t, client_id: {A}, secret: hunter2}}"))
    assert "must not be the secret itself, but where it is: {file: PATH} or {environment: NAME}" in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_each_setting_of_a_source_is_shown(accepted: Load, file: Path) -> None:
    accepted(azure("credential: {type: managed-identity}"))
    shown = {path: value for path, value, _ in effective(file, {}, resolv_conf=file.parent / "resolv.conf")}
    assert shown["sources[0].interval"] == 60
    assert shown["sources[0].credential.type"] == "managed-identity"


def test_the_schema_has_both_types() -> None:
    found = schema()
    assert found["properties"]["sources"]["items"]["discriminator"]["propertyName"] == "type"
    assert found["$defs"]["AzureSection"]["properties"]["subscriptions"]["items"]["format"] == "uuid"
