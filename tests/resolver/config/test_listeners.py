"""Configuration of listeners and clients: the keys under `dns`, and the files that they name."""

from collections.abc import Callable
from pathlib import Path

import pytest
import trustme

from resolver import settings
from resolver.config.file import ConfigError, effective, load
from resolver.host_port import HostPort

Load = Callable[..., settings.WorkerSettings]
SIGNS = "e5e973e5a6b2a43f48e7dc849e37bfcf"


@pytest.fixture
def worker(tmp_path: Path) -> Load:
    """Return the worker settings of a configuration with this `dns` section."""
    authority = trustme.CA()
    for name, host in (("cert", "dns.example"), ("other", "other.example")):
        made = authority.issue_cert(host)
        made.private_key_pem.write_to_path(str(tmp_path / f"{name}.key"))
        for index, blob in enumerate(made.cert_chain_pems):
            blob.write_to_path(str(tmp_path / f"{name}.pem"), append=index > 0)
    (tmp_path / "secrets").write_text(f"# secrets\n{SIGNS}\n")

    def read(dns: str) -> settings.WorkerSettings:
        file = tmp_path / "pldns.yaml"
        file.write_text(f"dns: {{{dns}}}\nupstreams: {{public: {{servers: ['udp://127.0.0.1:9']}}}}\n")
        return load(file, {}).worker

    return read


def refused(worker: Load, dns: str) -> list[str]:
    """Return the path and message of each problem."""
    with pytest.raises(ConfigError) as caught:
        worker(dns)
    return [f"{problem.path}: {problem.message}" for problem in caught.value.problems]


def test_encrypted_listeners(worker: Load, tmp_path: Path) -> None:
    got = worker(
        "tls: {listen: ['127.0.0.1:853'], certificate: cert.pem, key: cert.key},"
        "https: {listen: ['[::1]:443'], certificate: cert.pem, key: cert.key, path: /q}"
    )
    files = str(tmp_path / "cert.pem"), str(tmp_path / "cert.key")
    assert got.tls == settings.Tls((HostPort("127.0.0.1", 853),), *files)
    assert got.https == settings.Https((HostPort("::1", 443),), *files, "/q")


def test_clients_that_may_ask_and_forwarders(worker: Load) -> None:
    got = worker(
        "drop: {clients: [192.0.2.0/24], names: [Bad.Example]}, proxy: {from: [10.0.0.0/28]},"
        "forwarders: [10.0.0.53], identity: weu-1, payload: 1400, rotate: true"
    )
    assert got.drop_clients == ("192.0.2.0/24",)
    assert got.drop_names == ("bad.example",)
    assert got.proxy_from == ("10.0.0.0/28",)
    assert got.forwarders == ("10.0.0.53/32",)
    assert (got.identity, got.payload, got.rotate) == ("weu-1", 1400, True)


def test_bounds_have_defaults_and_the_rate_limit_is_off(worker: Load) -> None:
    got = worker("")
    assert got.streams == settings.Streams(10, 1000, 0)
    assert got.rate_limit is None
    assert got.cookies.answer
    limited = worker("rate_limit: {per_second: 50, exempt: [10.0.0.0/8]}, streams: {idle: 1m, per_client: 9}")
    assert limited.rate_limit == settings.RateLimit(50, 100, 2, 24, 56, ("10.0.0.0/8",))
    assert limited.streams == settings.Streams(60, 1000, 9)


def test_cookie_secrets_are_in_a_file_or_new_at_each_start(worker: Load, tmp_path: Path) -> None:
    one, two = worker(""), worker("cookies: {secrets: secrets}")
    assert one.cookies.root != two.cookies.root
    assert two.cookies.secrets == str(tmp_path / "secrets")


@pytest.mark.parametrize(
    ("dns", "said"),
    [
        ("tls: {certificate: cert.pem, key: cert.key}", "dns.tls: `listen` is missing"),
        ("tls: {listen: ['127.0.0.1:853'], certificate: cert.pem}", "dns.tls: `key` is missing"),
        ("tls: {listen: [], certificate: cert.pem, key: cert.key}", "dns.tls.listen: must not be empty"),
        (
            "tls: {listen: ['127.0.0.1:853'], certificate: none.pem, key: cert.key}",
            "dns.tls.certificate: cannot read {}/none.pem: No such file or directory",
        ),
        (
            "tls: {listen: ['127.0.0.1:853'], certificate: cert.pem, key: none.key}",
            "dns.tls.key: cannot read {}/none.key: No such file or directory",
        ),
        (
            "https: {listen: ['127.0.0.1:443'], certificate: cert.pem, key: other.key}",
            "dns.https.certificate: the key {0}/other.key does not belong to the certificate {0}/cert.pem",
        ),
        (
            "tls: {listen: ['127.0.0.1:853'], certificate: secrets, key: cert.key}",
            "dns.tls.certificate: {0}/secrets or {0}/cert.key is not a certificate chain or a key in PEM form",
        ),
        (
            "https: {listen: ['127.0.0.1:443'], certificate: cert.pem, key: cert.key, path: dns}",
            "dns.https.path: `dns` is not the path of a URL such as /dns-query, without `?` and `#`",
        ),
        ("cookies: {secrets: cert.pem}", "dns.cookies.secrets: {}/cert.pem: line 1: not 32 hexadecimal digits"),
        ("cookies: {secrets: none}", "dns.cookies.secrets: cannot read {}/none: No such file or directory"),
        (
            "listen: ['127.0.0.1:853'], tls: {listen: ['127.0.0.1:853'], certificate: cert.pem, key: cert.key}",
            "dns.tls.listen[0]: the address `127.0.0.1:853` is listed twice",
        ),
        ("proxy: {}", "dns.proxy: `from` is missing"),
        ("proxy: {from: [10.0.0.1/8]}", "dns.proxy.from[0]: `10.0.0.1/8` has bits set after its prefix length"),
        ("proxy: {form: [10.0.0.0/8]}", "dns.proxy.form: unknown key"),
        ("rate_limit: {per_second: 0}", "dns.rate_limit.per_second: must be greater than or equal to 1"),
        ("designation: dns.example", "dns.designation: needs `dns.tls` or `dns.https`, which clients would find by it"),
        (
            "designation: dns.example, tls: {listen: ['127.0.0.1:0'], certificate: cert.pem, key: cert.key}",
            "dns.tls.listen[0]: `127.0.0.1:0`: a designated listener needs a fixed port",
        ),
        (
            "designation: '*.example', tls: {listen: ['127.0.0.1:853'], certificate: cert.pem, key: cert.key}",
            "dns.designation: `*.example` is a pattern; clients need a name",
        ),
        (
            "designation: a.resolver.arpa, tls: {listen: ['127.0.0.1:853'], certificate: cert.pem, key: cert.key}",
            "dns.designation: `a.resolver.arpa` is no name of a server (RFC 9462 §6.3)",
        ),
        ("designation: 10.0.0.4", "dns.designation: not a host name: '10.0.0.4': its last label is a number"),
        ("payload: 100", "dns.payload: must be greater than or equal to 512"),
        ("identity: ''", "dns.identity: must be 1 to 255 octets of printable text"),
    ],
)
def test_invalid_listeners_and_limits_are_refused(worker: Load, tmp_path: Path, dns: str, said: str) -> None:
    assert said.format(tmp_path) in refused(worker, dns)


def test_an_encrypted_key_is_refused_by_name(worker: Load, tmp_path: Path) -> None:
    (tmp_path / "cert.key").write_text(
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\n"
        "MIGrMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAj0e2rnoTVyVQICCAAw\n"
        "DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEGi2fQiJvC0zR9Tt4AWnUoUEUGO4\n"
        "-----END ENCRYPTED PRIVATE KEY-----\n"
    )
    (said,) = refused(worker, "tls: {listen: ['127.0.0.1:853'], certificate: cert.pem, key: cert.key}")
    assert said.startswith("dns.tls.certificate: ")


def test_every_address_as_a_forwarder_or_proxy_is_a_warning(tmp_path: Path) -> None:
    file = tmp_path / "pldns.yaml"
    file.write_text(
        "dns: {forwarders: [0.0.0.0/0], proxy: {from: ['::/0']}}\n"
        "upstreams: {public: {servers: ['udp://127.0.0.1:9']}}\n"
    )
    said = load(file, {}).warnings
    assert [warning.partition(" ")[0] for warning in said] == ["dns.forwarders", "dns.proxy.from"]


def test_the_keys_are_shown_as_they_are_written(worker: Load, tmp_path: Path) -> None:
    worker("proxy: {from: [10.0.0.0/28]}")
    rows = {path: (value, origin) for path, value, origin in effective(tmp_path / "pldns.yaml", {})}
    assert rows["dns.proxy.from"] == (["10.0.0.0/28"], f"{tmp_path}/pldns.yaml:1")
    assert rows["dns.payload"] == (1232, "default")
    environ = {"PLDNS_DNS__PROXY__FROM": "[10.1.0.0/28]"}
    assert load(tmp_path / "pldns.yaml", environ).worker.proxy_from == ("10.1.0.0/28",)
