"""The keys of `admin`."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import trustme

from resolver.admin_settings import AdminTls, AdminToken
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
         "must be `read` or `operate` or `admin`"),
        ("admin: {tokens: [{name: a, role: read, sha256: pldns_x}]}", "admin.tokens[0].sha256",
         "must be the SHA-256 of a token, 64 hexadecimal digits: `pldns token new --configured` prints it"),
        (f"admin: {{tokens: [{{name: a, role: read, sha256: {DIGEST}}}, {{name: a, role: admin, sha256: {DIGEST}}}]}}",
         "admin.tokens[1].name", "the token `a` is listed twice"),
        ("admin: {hosts: ['a b']}", "admin.hosts[0]",
         "not a host name: 'a b': label 'a b' has characters that are not allowed in a host name"),
    ],
)  # fmt: skip
def test_a_mistake_is_named(refused: Refused, file: Path, text: str, path: str, message: str) -> None:
    found = refused(text)
    assert (found[0][2], found[0][3]) == (path, message.replace("HERE", str(file.parent)))


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
