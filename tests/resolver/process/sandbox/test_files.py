"""The directories that control may read, so that a source can be replaced."""

from pathlib import Path

import pytest

from resolver import settings
from resolver.admin_settings import AdminOidc, AdminSettings
from resolver.azure_settings import AzureSettings, Credential, CredentialType, Secret
from resolver.process.sandbox import files
from resolver.process.sandbox.landlock import Access, covers


def found(path: Path) -> set[str]:
    return set(files.around(str(path)))


def test_the_directory_of_a_file_or_folder_is_granted_and_may_lack_it(tmp_path: Path) -> None:
    (tmp_path / "endpoints").mkdir()
    assert found(tmp_path / "endpoints") == found(tmp_path / "later") == {str(tmp_path)}
    assert found(tmp_path / "not" / "yet") == {str(tmp_path)}


def test_links_in_the_path_are_granted_where_they_are_replaced(tmp_path: Path) -> None:
    """A Kubernetes volume: `estate.json` leads to `..data/estate.json`, and `..data` to the current version."""
    volume, elsewhere = tmp_path / "volume", tmp_path / "elsewhere"
    for folder in (volume / "..1", elsewhere):
        folder.mkdir(parents=True)
        (folder / "estate.json").touch()
    (volume / "..data").symlink_to("..1")
    (volume / "estate.json").symlink_to("..data/estate.json")
    assert found(volume / "estate.json") == {str(volume), str(volume / "..1")}
    (volume / "..data").unlink()
    (volume / "..data").symlink_to(elsewhere)
    assert found(volume / "estate.json") == {str(volume), str(elsewhere)}
    (volume / "loop").symlink_to("loop")
    assert found(volume / "loop") == {str(volume)}


@pytest.mark.parametrize("path", ["/etc/estate.json", "/tmp/estate", "/estate"])  # noqa: S108 - never opened
def test_a_shared_directory_is_never_granted(path: str) -> None:
    assert found(Path(path)) == {path}


def azure(credential: CredentialType) -> settings.ControlSettings:
    source = AzureSettings(credential=Credential(credential))
    return settings.ControlSettings(sources=(settings.SourceSettings("hub", "azure", azure=source),))


def test_programs_are_for_credentials_that_need_them(tmp_path: Path) -> None:
    path = {"PATH": str(tmp_path)}
    assert files.needs_programs(azure("cli"), path)
    assert not files.needs_programs(azure("default"), path)
    assert not files.needs_programs(azure("managed-identity"), path)
    (tmp_path / "az").touch(mode=0o755)
    assert files.needs_programs(azure("default"), path)
    assert files.control(azure("default"), path) is None


@pytest.mark.parametrize(
    ("had", "wanted", "expected"),
    [
        (Access(("/srv",), ("/state",)), Access(("/srv/a", "/state/b"), ("/state",)), True),
        (Access(("/srv",)), Access(("/srv2",)), False),
        (Access(("/srv",), ("/state",)), Access((), ("/srv",)), False),
        (None, Access(("/srv",)), True),
        (Access(("/srv",)), None, False),
    ],
)
def test_an_access_covers_what_lies_below(had: Access | None, wanted: Access | None, expected: bool) -> None:
    assert covers(had, wanted) is expected


def test_control_may_read_the_secret_of_its_client(tmp_path: Path) -> None:
    oidc = AdminOidc("", ("",), (), {}, client_id="c", client_secret=Secret(file=str(tmp_path / "secret")))
    access = files.control(settings.ControlSettings(admin=AdminSettings(oidc=oidc)), {})
    assert access
    assert str(tmp_path) in access.read
