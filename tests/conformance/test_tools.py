"""dig and kdig against a daemon, on each transport and with each option."""

import re
import subprocess
from collections.abc import Callable

import pytest

from tests.conformance.ways import Site
from tests.live.daemon import PATIENCE
from tests.peers import tool

NAME = "acctname.blob.core.windows.net"
Run = Callable[..., str]

pytestmark = [pytest.mark.live, pytest.mark.peer]


@pytest.fixture
def dig(site: Site) -> Run:
    def run(*words: str) -> str:
        command = [tool("dig"), "@127.0.0.1", "-p", str(site.daemon.port), "+timeout=15", "+tries=1", *words]
        return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=True).stdout

    return run


@pytest.fixture
def kdig(site: Site) -> Run:
    def run(port: int, *words: str) -> str:
        command = [tool("kdig"), "@127.0.0.1", "-p", str(port), "+timeout=15", "+retry=0", *words]
        return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=True).stdout

    return run


@pytest.mark.parametrize("words", [[], ["+tcp"], ["+noedns"], ["+dnssec"], ["+norec"], ["+bufsize=512"]])
def test_dig_reads_the_answer(dig: Run, words: list[str]) -> None:
    said = dig(NAME, *words)
    assert "status: NOERROR" in said
    assert re.search(r"\sA\s+10\.0\.0\.4", said)
    assert "WARNING" not in said
    assert ";; Got bad packet" not in said


def test_dig_nsid(dig: Run) -> None:
    assert '("conformance")' in dig(NAME, "+nsid")


def test_dig_cookie(dig: Run) -> None:
    first = re.search(r"COOKIE: ([0-9a-f]{48}) \(good\)", dig(NAME, "+cookie=0102030405060708"))
    assert first
    assert f"COOKIE: {first[1]} (good)" in dig(NAME, f"+cookie={first[1]}")


def test_dig_keeps_a_connection_open(dig: Run) -> None:
    said = dig("+tcp", "+keepopen", "+keepalive", NAME, "A", NAME, "AAAA", NAME, "HTTPS")
    assert said.count("status: NOERROR") == 3
    assert "TCP KEEPALIVE: 10.0 secs" in said


def test_dig_gets_no_client_subnet(dig: Run) -> None:
    assert "CLIENT-SUBNET" not in dig(NAME, "+subnet=192.0.2.0/24")


def test_dig_falls_back_from_an_unknown_edns_version(dig: Run) -> None:
    assert "status: NOERROR" in dig(NAME, "+edns=1")
    assert "BADVERS" in dig(NAME, "+edns=1", "+noednsneg")


def test_dig_with_unknown_options_flags_and_opcodes(dig: Run) -> None:
    assert "status: NOERROR" in dig(NAME, "+ednsopt=100:abcd", "+ednsflags=0x40", "+zflag")
    assert "status: NOTIMP" in dig(NAME, "+opcode=15", "+noedns")
    assert "status: NOTIMP" in dig(NAME, "+header-only", "+opcode=15")


def test_dig_gets_no_padding_without_encryption(dig: Run) -> None:
    assert "PAD" not in dig(NAME, "+padding=128")


def tls(site: Site) -> list[str]:
    return ["+tls-ca=" + str(site.authority), "+tls-hostname=localhost"]


@pytest.mark.parametrize("words", [["+tls"], ["+tls", "+padding"], ["+tls", "+dnssec", "+keepopen"]])
def test_kdig_over_tls(site: Site, kdig: Run, words: list[str]) -> None:
    said = kdig(site.tls_port, *words, *tls(site), NAME)
    assert "status: NOERROR" in said
    assert "10.0.0.5" in said


def test_kdig_gets_padding_over_tls(site: Site, kdig: Run) -> None:
    said = kdig(site.tls_port, "+tls", "+padding", *tls(site), NAME)
    assert "PADDING" in said
    assert "Received 468 B" in said


@pytest.mark.parametrize("way", ["+https=/dns-query", "+https-get=/dns-query"])
def test_kdig_over_https(site: Site, kdig: Run, way: str) -> None:
    said = kdig(site.https_port, way, *tls(site), NAME)
    assert "HTTP/2" in said
    assert "status: 200" in said
    assert "10.0.0.4" in said


def test_kdig_over_https_at_another_path(site: Site, kdig: Run) -> None:
    command = [tool("kdig"), "@127.0.0.1", "-p", str(site.https_port), "+https=/nothing", "+retry=0", "+timeout=15"]
    said = subprocess.run([*command, *tls(site), NAME], capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert "404" in said.stdout + said.stderr
