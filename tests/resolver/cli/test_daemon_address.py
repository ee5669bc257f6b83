"""The addresses of a running daemon, read from its configuration."""

import socket
from pathlib import Path

import pytest

from resolver.cli import daemon_address
from resolver.cli.failure import Failed
from resolver.config.accept import ADMIN_SOCKET
from resolver.config.admin import AdminSection
from resolver.config.file import load
from resolver.config.listeners import DnsSection
from resolver.host_port import HostPort


def test_the_defaults_are_those_of_the_configuration() -> None:
    assert DnsSection().listen[0] == daemon_address.DNS
    assert AdminSection().listen == daemon_address.ADMIN
    assert daemon_address.SOCKET == ADMIN_SOCKET


@pytest.mark.parametrize(
    ("text", "environ", "expected"),
    [
        ("dns: {listen: ['127.0.0.1:5300', '127.0.0.2:53']}", {}, ("127.0.0.1", 5300)),
        ("dns: {listen: ['0.0.0.0:53']}", {}, ("127.0.0.1", 53)),
        ("dns: {listen: ['[::]:53']}", {}, ("::1", 53)),
        ("dns: {}", {}, ("127.0.0.1", 53)),
        ("dns: {listen: ['127.0.0.1:1']}", {"PLDNS_DNS__LISTEN": '["127.0.0.1:2"]'}, ("127.0.0.1", 2)),
        ("", {"PLDNS_DNS__LISTEN": "127.0.0.1:3"}, ("127.0.0.1", 3)),
        ("", {"PLDNS_DNS__LISTEN": "[::1]:3"}, ("::1", 3)),
    ],
)
def test_the_listen_address_is_read_as_the_daemon_reads_it(
    tmp_path: Path, text: str, environ: dict[str, str], expected: tuple[str, int]
) -> None:
    file = tmp_path / "pldns.yaml"
    file.write_text(text)
    assert daemon_address.dns_address(file, file, environ) == HostPort(*expected)


def test_without_any_configuration_the_defaults_apply(tmp_path: Path) -> None:
    missing = tmp_path / "pldns.yaml"
    assert daemon_address.admin_url(None, missing, {}) == "http://127.0.0.1:8053"
    assert daemon_address.dns_address(None, missing, {}) == HostPort("127.0.0.1", 53)
    with pytest.raises(Failed, match=r"pldns\.yaml"):
        daemon_address.dns_address(missing, missing, {})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "http://127.0.0.1:8053/ui/"),
        ("admin: {listen: '0.0.0.0:80'}", "http://127.0.0.1:80/ui/"),
        ("admin: {listen: '[::1]:8053'}", "http://[::1]:8053/ui/"),
        ("admin: {tls: {certificate: a, key: b}, hosts: [pldns.example]}", "https://pldns.example:8053/ui/"),
    ],
)
def test_the_page_is_on_the_tcp_listener(tmp_path: Path, text: str, expected: str) -> None:
    file = tmp_path / "pldns.yaml"
    file.write_text(text)
    assert daemon_address.page_url(file, file, {}) == expected
    file.write_text("admin: {listen: off}")
    with pytest.raises(Failed, match=r"a browser needs `admin\.listen`"):
        daemon_address.page_url(file, file, {})


def test_an_admin_interface_that_is_off_is_an_error(tmp_path: Path) -> None:
    file = tmp_path / "pldns.yaml"
    file.write_text("admin: {listen: off, socket: off}")
    with pytest.raises(Failed, match="turns the admin interface off"):
        daemon_address.admin_url(file, file, {})
    file.write_text("admin: {listen: off}")
    with pytest.raises(Failed, match=f"no daemon answers at {tmp_path}/state/admin.sock"):
        daemon_address.admin_url(file, tmp_path / "other", {})
    with pytest.raises(Failed, match=r"no daemon answers at /run/pldns/admin\.sock"):
        daemon_address.admin_url(file, file, {})


@pytest.mark.parametrize(
    ("text", "environ", "where"),
    [
        ("", {}, "state/admin.sock"),
        ("state: {directory: elsewhere}", {}, "elsewhere/admin.sock"),
        ("", {"STATE_DIRECTORY": "HERE/var"}, "var/admin.sock"),
        ("state: {directory: elsewhere}", {"STATE_DIRECTORY": "HERE/var"}, "elsewhere/admin.sock"),
        ("", {"RUNTIME_DIRECTORY": "HERE/run"}, "run/admin.sock"),
        ("admin: {socket: auto}", {}, "state/admin.sock"),
        ("admin: {socket: own/it.sock}", {"RUNTIME_DIRECTORY": "HERE/run"}, "own/it.sock"),
        ("admin: {socket: HERE/own/it.sock}", {}, "own/it.sock"),
        ("", {"PLDNS_ADMIN__SOCKET": "HERE/own/it.sock"}, "own/it.sock"),
    ],
)
def test_the_socket_is_found_where_the_daemon_makes_it(
    tmp_path: Path, text: str, environ: dict[str, str], where: str
) -> None:
    file, path = tmp_path / "pldns.yaml", tmp_path / where
    file.write_text(text.replace("HERE", str(tmp_path)))
    environ = {key: value.replace("HERE", str(tmp_path)) for key, value in environ.items()}
    assert load(file, environ).control.admin.socket == str(path)
    assert daemon_address.admin_url(file, tmp_path / "other", environ) == "http://127.0.0.1:8053"
    path.parent.mkdir(parents=True)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        listening.listen()
        assert daemon_address.admin_url(file, tmp_path / "other", environ) == f"unix:{path}"
    assert daemon_address.admin_url(file, tmp_path / "other", environ) == "http://127.0.0.1:8053"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("192.0.2.1", ("192.0.2.1", 53)),
        ("192.0.2.1:5", ("192.0.2.1", 5)),
        ("::1", ("::1", 53)),
        ("[::1]:5", ("::1", 5)),
    ],
)
def test_the_default_port_is_53(text: str, expected: tuple[str, int]) -> None:
    assert daemon_address.parse_address(text) == HostPort(*expected)


@pytest.mark.parametrize("text", ["", "host", "192.0.2.1:x", "192.0.2.1:70000", "[::1", "1.2.3.4:0"])
def test_other_text_is_refused(text: str) -> None:
    with pytest.raises(Failed):
        daemon_address.parse_address(text)
