"""The keys of `admin`."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import trustme

from resolver.admin_settings import AdminOidc, AdminTls, AdminToken
from resolver.azure_settings import Secret
from resolver.host_port import HostPort

Load = Callable[..., Any]
Refused = Callable[..., Any]
DIGEST = "0123456789abcdef" * 4


@pytest.mark.parametrize(
    ("text", "path", "message"),
    [
        ("admin: {listen: '0.0.0.0:8053'}", "admin.listen",
         ("`0.0.0.0:8053` is not loopback: it needs `admin.tls`, or `admin.plain: true` if tokens may be sent "
          "unencrypted")),
        ("dns: {listen: ['0.0.0.0:8053']}", "admin.listen", "`127.0.0.1:8053` is already used by dns.listen"),
        ("admin: {health: '0.0.0.0:8053'}", "admin.health", "`0.0.0.0:8053` is already used by admin.listen"),
        ("admin: {health: '127.0.0.1:8053'}", "admin.health", "`127.0.0.1:8053` is already used by admin.listen"),
        ("admin: {tls: {certificate: none.pem, key: none.key}}", "admin.tls.certificate",
         "cannot read HERE/none.pem: No such file or directory"),
        (f"admin: {{tokens: [{{name: a, role: root, sha256: {DIGEST}}}]}}", "admin.tokens[0].role",
         "must be `registry` or `read` or `operate` or `admin`"),
        ("admin: {tokens: [{name: a, role: read, sha256: pldns_x}]}", "admin.tokens[0].sha256",
         "must be the SHA-256 of a token, 64 hexadecimal digits: `pldns token new --configured` prints it"),
        (f"admin: {{tokens: [{{name: a, role: read, sha256: {DIGEST}}}, {{name: a, role: admin, sha256: {DIGEST}}}]}}",
         "admin.tokens[1].name", "the token `a` is listed twice"),
        ("admin: {oidc: {audience: [a], roles: {A: read}}}", "admin.oidc", "needs either `tenant` or `issuer`"),
        ("admin: {oidc: {tenant: corp.example, audience: [a], roles: {A: read}}}", "admin.oidc.tenant",
         "must be the directory (tenant) id, such as 72f988bf-86f1-41af-91ab-2d7cd011db47"),
        ("admin: {oidc: {issuer: 'http://id.example', audience: [a], roles: {A: read}}}", "admin.oidc.issuer",
         "must be an https:// address without a query"),
        ("admin: {oidc: {issuer: 'https://id.example', audience: [a], roles: {A: read}, client_secret: {file: x}}}",
         "admin.oidc.client_secret", "needs `client_id`, whose secret it is"),
        (("admin: {oidc: {issuer: 'https://id.example', audience: [a], roles: {A: read}, client_id: c, "
          "client_secret: {file: x, environment: Y}}}"),
         "admin.oidc.client_secret", "needs either `file` or `environment`"),
        (("admin: {oidc: {issuer: 'https://id.example', audience: [a], roles: {A: read}, client_id: c, "
          "client_secret: geheim}}"),
         "admin.oidc.client_secret",
         "must not be the secret itself, but where it is: {file: PATH} or {environment: NAME}"),
        ("admin: {oidc: {issuer: 'https://id.example', audience: [a], roles: {A: root}}}", "admin.oidc.roles.A",
         "must be `registry` or `read` or `operate` or `admin`"),
        ("admin: {hosts: ['a b']}", "admin.hosts[0]",
         "not a host name: 'a b': label 'a b' has characters that are not allowed in a host name"),
    ],
)  # fmt: skip
def test_a_mistake_is_named(refused: Refused, file: Path, text: str, path: str, message: str) -> None:
    found = refused(text)
    assert (found[0][2], found[0][3]) == (path, message.replace("HERE", str(file.parent)))


@pytest.mark.parametrize(
    ("keys", "path", "message"),
    [
        ("clients: [{name: grafana, role: read}]", "admin.tls.clients[0].name",
         "must be `DNS:`, `EMAIL:`, `URI:`, `IP:` or `SUBJECT:`, and the name in the certificate"),
        ("clients: [{name: 'DNS:a', role: read}]", "admin.tls.clients",
         "`admin.tls.client_ca` must name the authorities of the clients"),
        ("client_ca: none", "admin.tls.client_ca", "cannot read HERE/none: No such file or directory"),
        ("client_ca: pldns.yaml", "admin.tls.client_ca", "has no PEM certificates"),
    ],
)  # fmt: skip
def test_a_mistake_about_client_certificates_is_named(
    refused: Refused, file: Path, keys: str, path: str, message: str
) -> None:
    found = {each[2]: each[3] for each in refused(f"admin: {{tls: {{certificate: a, key: b, {keys}}}}}")}
    assert message.replace("HERE", str(file.parent)) in found[path]


def test_health_checks_have_a_listener_on_any_address(accepted: Load) -> None:
    assert accepted("admin: {health: '0.0.0.0:8054'}").control.admin.health == HostPort("0.0.0.0", 8054)
    assert accepted("").control.admin.health is None


@pytest.mark.parametrize("off", ["off", "false"])
def test_each_listener_can_be_off(accepted: Load, off: str) -> None:
    admin = accepted(f"admin: {{listen: {off}, socket: {off}}}").control.admin
    assert (admin.listen, admin.socket) == (None, "")


def test_other_addresses_need_tls_or_plain(accepted: Load, file: Path) -> None:
    assert accepted("admin: {listen: '192.0.2.1:8053', plain: true}").control.admin.listen
    pair = trustme.CA().issue_cert("pldns.example")
    pair.cert_chain_pems[0].write_to_path(file.parent / "admin.pem")
    pair.private_key_pem.write_to_path(file.parent / "admin.key")
    got = accepted("admin: {listen: '192.0.2.1:8053', tls: {certificate: admin.pem, key: admin.key}}").control.admin
    assert got.tls == AdminTls(str(file.parent / "admin.pem"), str(file.parent / "admin.key"))


def test_tokens_have_a_hash_only(accepted: Load) -> None:
    got = accepted(f"admin: {{tokens: [{{name: ci, role: operate, sha256: {DIGEST}}}], hosts: [PLDNS.corp.example]}}")
    assert got.control.admin.tokens == (AdminToken("ci", "operate", DIGEST),)
    assert got.control.admin.hosts == ("pldns.corp.example",)


def test_a_tenant_has_the_issuers_of_both_versions_of_its_tokens(accepted: Load) -> None:
    tenant = "72f988bf-86f1-41af-91ab-2d7cd011db47"
    given = f"admin: {{oidc: {{tenant: {tenant.upper()}, audience: ['api://pldns'], roles: {{Pldns.Read: read}}}}}}"
    issuer = f"https://login.microsoftonline.com/{tenant}/v2.0"
    assert accepted(given).control.admin.oidc == AdminOidc(
        f"{issuer}/.well-known/openid-configuration", (issuer, f"https://sts.windows.net/{tenant}/"),
        ("api://pldns",), {"Pldns.Read": "read"}, tenant,
    )  # fmt: skip
    other = accepted("admin: {oidc: {issuer: 'https://id.example/a/', audience: [b], roles: {A: admin}}}")
    assert other.control.admin.oidc == AdminOidc(
        "https://id.example/a/.well-known/openid-configuration", ("https://id.example/a/",), ("b",), {"A": "admin"}
    )


def test_a_client_of_a_provider_has_its_secret_in_a_file_or_in_the_environment(accepted: Load, file: Path) -> None:
    given = "admin: {oidc: {issuer: 'https://id.example', audience: [b], roles: {A: read}, client_id: c%s}}"
    for text, secret in (
        ("", None),
        (", client_secret: {file: key}", Secret(file=str(file.parent / "key"))),
        (", client_secret: {environment: KEY}", Secret(environment="KEY")),
    ):
        oidc = accepted(given % text).control.admin.oidc
        assert (oidc.client_id, oidc.client_secret) == ("c", secret)
