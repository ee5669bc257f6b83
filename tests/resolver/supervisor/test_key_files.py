"""Certificates, keys and cookie secrets as the supervisor reads them."""

from pathlib import Path

import pytest
import trustme

from resolver.settings import CookieSettings, Https, Tls, WorkerSettings
from resolver.supervisor.key_files import KeyFiles, key_files


def settings(folder: Path) -> WorkerSettings:
    pair = str(folder / "cert.pem"), str(folder / "key.pem")
    cookies = CookieSettings(secrets=str(folder / "secrets"))
    return WorkerSettings((), (), tls=Tls((), *pair), https=Https((), *pair), cookies=cookies)


@pytest.fixture
def files(tmp_path: Path) -> KeyFiles:
    for name in ("cert.pem", "key.pem", "secrets"):
        (tmp_path / name).write_text(f"first {name}")
    return key_files(settings(tmp_path), lambda *_: None)


def test_the_files_of_all_listeners_and_the_cookie_secrets_are_read(files: KeyFiles, tmp_path: Path) -> None:
    assert files.contents == {
        str(tmp_path / name): f"first {name}".encode() for name in ("cert.pem", "key.pem", "secrets")
    }
    assert not files.check(), "nothing has changed"


def test_there_are_no_files_without_tls_and_cookie_secrets() -> None:
    assert not key_files(WorkerSettings((), ()))


def test_a_change_is_found_and_a_touched_file_is_none(files: KeyFiles, tmp_path: Path) -> None:
    (tmp_path / "secrets").touch()
    assert not files.check()
    (tmp_path / "secrets").write_text("second")
    assert files.check()
    assert files.contents[str(tmp_path / "secrets")] == b"second"


def test_a_pair_is_read_as_one(files: KeyFiles, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A new certificate without its key would be served with the old key."""
    (tmp_path / "cert.pem").write_text("second")
    (tmp_path / "key.pem").unlink()
    assert not files.check()
    assert not files.check()
    assert files.contents[str(tmp_path / "cert.pem")] == b"first cert.pem"
    assert len(caplog.records) == 1
    (tmp_path / "key.pem").write_text("second")
    assert files.check()
    assert files.contents[str(tmp_path / "cert.pem")] == b"second"


def test_contents_that_cannot_be_used_are_not_handed_on(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    issued = trustme.CA().issue_cert("dns.example")
    pair = tmp_path / "cert.pem", tmp_path / "key.pem"
    pair[0].write_bytes(issued.cert_chain_pems[0].bytes())
    pair[1].write_bytes(issued.private_key_pem.bytes())
    (tmp_path / "secrets").write_text("0" * 32)
    files = key_files(settings(tmp_path))
    first = dict(files.contents)
    assert len(first) == 3
    pair[0].write_text("no certificate")
    (tmp_path / "secrets").write_text("no secret")
    assert not files.check()
    assert files.contents == first
    assert [record.message.partition(": ")[0] for record in caplog.records] == [str(pair[0]), str(tmp_path / "secrets")]


def test_a_certificate_and_its_key_may_be_in_one_file(tmp_path: Path) -> None:
    file = tmp_path / "pair.pem"
    trustme.CA().issue_cert("dns.example").private_key_and_cert_chain_pem.write_to_path(str(file))
    files = key_files(WorkerSettings((), (), tls=Tls((), str(file), str(file))))
    assert files.contents == {str(file): file.read_bytes()}
