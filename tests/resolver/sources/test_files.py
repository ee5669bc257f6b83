"""The files source on real folders: which files are read, which are whole, and what cannot be read."""

import json
import os
import shutil
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from resolver.sources.files import LONGEST_WAIT, QUIET, FileSource
from resolver.sources.reading import Part, Scan
from zones.azure.resource import Resources
from zones.clocks import wall_clock


def text(name: str, address: str = "10.0.0.4") -> str:
    return f"endpoints: [{{name: {name}, group: blob, records: [{{fqdn: {name}.example, ips: [{address}]}}]}}]"


def write(file: Path, content: str) -> Path:
    """Write a file by renaming a temporary one, as careful writers do."""
    file.parent.mkdir(parents=True, exist_ok=True)
    fresh = file.with_name(".new")
    fresh.write_text(content)
    return fresh.rename(file)


def names(part: Part) -> list[str]:
    assert isinstance(part, Resources)
    return [endpoint.name for endpoint in part.endpoints]


def changed_parts(scan: Scan, folder: Path) -> dict[str, list[str] | str | None]:
    """Return the endpoint names or the error of each changed part, by path in the folder."""
    assert not scan.error
    return {
        os.path.relpath(part, folder): names(given) if isinstance(given, Resources) else given
        for part, given in scan.changes
    }


# -- data


def test_every_file_of_a_folder_is_a_part(tmp_path: Path) -> None:
    write(tmp_path / "b.yaml", text("b"))
    write(tmp_path / "deep" / "er" / "A.YML", text("a"))
    write(tmp_path / "c.json", '{"endpoints": []}')
    files = FileSource(str(tmp_path), set())
    scan = files.scan()
    assert changed_parts(scan, tmp_path) == {"b.yaml": ["b"], "c.json": [], "deep/er/A.YML": ["a"]}
    assert scan.parts == 3


def test_other_files_and_hidden_ones_are_not_read(tmp_path: Path) -> None:
    for name in ("a.txt", ".b.yaml", ".git/c.yaml", "d.yaml~", "e.yaml.swp", "f"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("not: {")
    assert FileSource(str(tmp_path), set()).scan() == Scan([], 0)


def test_a_single_file_is_a_source_whatever_its_name(tmp_path: Path) -> None:
    for name, content in (("a.yaml", text("a")), ("dump", '{"endpoints": [{"name": "a"}]}')):
        file = write(tmp_path / name, content)
        (tmp_path / "other.yaml").write_text("not: {")
        scan = FileSource(str(file), set()).scan()
        assert changed_parts(scan, tmp_path) == {name: ["a"]}


def test_only_what_changed_is_read_again(tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        write(tmp_path / f"{name}.yaml", text(name))
    files = FileSource(str(tmp_path), set())
    files.scan()
    assert files.scan() == Scan([], 3)
    write(tmp_path / "b.yaml", text("bb"))
    (tmp_path / "c.yaml").unlink()
    write(tmp_path / "d.yaml", text("d"))
    scan = files.scan()
    assert changed_parts(scan, tmp_path) == {"b.yaml": ["bb"], "c.yaml": None, "d.yaml": ["d"]}
    assert scan.parts == 3


def test_a_rename_removes_one_part_and_adds_another_in_the_same_scan(tmp_path: Path) -> None:
    file = write(tmp_path / "a.yaml", text("a"))
    files = FileSource(str(tmp_path), set())
    files.scan()
    file.rename(tmp_path / "b.yaml")
    assert changed_parts(files.scan(), tmp_path) == {"a.yaml": None, "b.yaml": ["a"]}


def test_another_file_of_the_same_size_and_time_is_read(tmp_path: Path) -> None:
    file = write(tmp_path / "a.yaml", text("a"))
    files = FileSource(str(tmp_path), set())
    files.scan()
    before = file.stat()
    other = tmp_path / ".other"
    other.write_text(text("b"))
    os.utime(other, ns=(before.st_atime_ns, before.st_mtime_ns))
    other.rename(file)
    assert changed_parts(files.scan(), tmp_path) == {"a.yaml": ["b"]}


def test_a_changed_file_is_read_even_if_its_modification_time_is_set_back(tmp_path: Path) -> None:
    file = write(tmp_path / "a.yaml", text("a"))
    before = file.stat()
    files = FileSource(str(tmp_path), set())
    files.scan()
    while file.stat().st_ctime_ns == before.st_ctime_ns:  # the file system's clock has a resolution of some ms
        with file.open("r+") as opened:
            opened.write(text("b"))
        os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert changed_parts(files.scan(), tmp_path) == {"a.yaml": ["b"]}


def test_restored_parts_are_read_again_and_missing_ones_are_reported(tmp_path: Path) -> None:
    file = write(tmp_path / "a.yaml", text("a"))
    files = FileSource(str(tmp_path), {str(file), str(tmp_path / "gone.yaml")})
    assert changed_parts(files.scan(), tmp_path) == {"a.yaml": ["a"], "gone.yaml": None}


def test_symbolic_links_are_followed_except_in_a_circle(tmp_path: Path) -> None:
    write(tmp_path / "folder" / "a.yaml", text("a"))
    write(tmp_path / "elsewhere" / "b.yaml", text("b"))
    (tmp_path / "folder" / "linked").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "folder" / "up").symlink_to(tmp_path / "folder")
    (tmp_path / "elsewhere" / "back").symlink_to(tmp_path / "folder")
    scan = FileSource(str(tmp_path / "folder"), set()).scan()
    assert changed_parts(scan, tmp_path / "folder") == {"a.yaml": ["a"], "linked/b.yaml": ["b"]}


def test_a_configmap_is_swapped_as_a_whole(tmp_path: Path) -> None:
    """Kubernetes links the files to `..data/…`, and replaces the folder to which `..data` links."""
    for version in ("1", "2"):
        write(tmp_path / f"..{version}" / "a.yaml", text(f"a{version}"))
        write(tmp_path / f"..{version}" / "b.yaml", text("b"))
    (tmp_path / "..data").symlink_to("..1")
    for name in ("a.yaml", "b.yaml"):
        (tmp_path / name).symlink_to(f"..data/{name}")
    files = FileSource(str(tmp_path), set())
    assert changed_parts(files.scan(), tmp_path) == {"a.yaml": ["a1"], "b.yaml": ["b"]}
    (tmp_path / "..fresh").symlink_to("..2")
    (tmp_path / "..fresh").rename(tmp_path / "..data")
    shutil.rmtree(tmp_path / "..1")
    assert changed_parts(files.scan(), tmp_path) == {"a.yaml": ["a2"], "b.yaml": ["b"]}


# -- pages of a longer list


def page(total: int, token: str | None, *numbers: int) -> str:
    rows = [
        {
            "id": f"/subscriptions/s/resourceGroups/rg/providers/Microsoft.Network/privateEndpoints/e{number}",
            "properties": {"privateLinkServiceConnections": []},
        }
        for number in numbers
    ]
    return json.dumps({"count": len(rows), "data": rows, "total_records": total, "skip_token": token})


def incomplete(scan: Scan, folder: Path) -> dict[str, tuple[str, ...]]:
    return {os.path.relpath(part, folder): reasons for part, reasons in scan.incomplete.items()}


def test_a_page_is_incomplete_until_the_other_pages_are_in_its_folder(tmp_path: Path) -> None:
    write(tmp_path / "a.json", page(3, "t", 1, 2))
    files = FileSource(str(tmp_path), set())
    scan = files.scan()
    assert changed_parts(scan, tmp_path) == {"a.json": ["e1", "e2"]}
    assert incomplete(scan, tmp_path) == {"a.json": ("2 of 3 rows",)}
    write(tmp_path / "other" / "b.json", page(3, None, 3))
    assert incomplete(files.scan(), tmp_path).keys() == {"a.json", "other/b.json"}
    write(tmp_path / "b.json", page(3, None, 3))
    assert incomplete(files.scan(), tmp_path).keys() == {"other/b.json"}
    (tmp_path / "b.json").unlink()
    assert incomplete(files.scan(), tmp_path).keys() == {"a.json", "other/b.json"}
    (tmp_path / "a.json").unlink()
    assert incomplete(files.scan(), tmp_path).keys() == {"other/b.json"}


def test_a_page_is_read_once_more_when_it_becomes_complete(tmp_path: Path) -> None:
    """Its data was merged with earlier data while it was incomplete."""
    write(tmp_path / "a.json", page(2, "t", 1))
    files = FileSource(str(tmp_path), set())
    files.scan()
    write(tmp_path / "b.json", page(2, None, 2))
    assert changed_parts(files.scan(), tmp_path) == {"a.json": ["e1"], "b.json": ["e2"]}
    assert files.scan().changes == []


def test_a_page_that_is_rewritten_by_half_is_as_incomplete_as_before(tmp_path: Path) -> None:
    file = write(tmp_path / "a.json", page(3, "t", 1, 2))
    files = FileSource(str(tmp_path), set())
    files.scan()
    write(file, page(3, "t", 1, 2)[:40])
    scan = files.scan()
    assert isinstance(changed_parts(scan, tmp_path)["a.json"], str)
    assert incomplete(scan, tmp_path) == {"a.json": ("2 of 3 rows",)}


def test_rows_that_are_not_needed_are_counted_by_file_and_type(tmp_path: Path) -> None:
    vaults = [{"id": f"/subscriptions/s/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/{i}"} for i in range(3)]
    write(tmp_path / "a.json", json.dumps([*json.loads(page(1, None, 1))["data"], *vaults]))
    files = FileSource(str(tmp_path), set())
    for _ in range(2):
        assert files.scan().passed_over == {str(tmp_path / "a.json"): {"microsoft.keyvault/vaults": 3}}


# -- what cannot be read


def test_a_file_that_does_not_parse_is_reported_with_line_and_column(tmp_path: Path) -> None:
    file = write(tmp_path / "a.yaml", text("a"))
    files = FileSource(str(tmp_path), set())
    files.scan()
    write(file, "endpoints: [\n  {")
    (given,) = changed_parts(files.scan(), tmp_path).values()
    assert isinstance(given, str)
    assert given.startswith("line 3, column 1: ")
    assert files.scan() == Scan([], 1)
    write(file, text("again"))
    assert changed_parts(files.scan(), tmp_path) == {"a.yaml": ["again"]}


@pytest.mark.parametrize("name", ["a.yaml", "a.json"])
def test_a_file_that_a_redirection_has_truncated_is_unreadable_and_not_an_empty_inventory(
    tmp_path: Path, name: str
) -> None:
    """`az … > a.json` truncates the file at once and writes it at the end."""
    file = write(tmp_path / name, "[]")
    files = FileSource(str(tmp_path), set())
    assert changed_parts(files.scan(), tmp_path) == {name: []}
    with file.open("w") as opened:
        (given,) = changed_parts(files.scan(), tmp_path).values()
        assert isinstance(given, str)
        opened.write('{"endpoints": [{"name": "a"}]}')
    assert changed_parts(files.scan(), tmp_path) == {name: ["a"]}


def test_the_output_of_windows_powershell_is_read(tmp_path: Path) -> None:
    """Its `>` writes UTF-16 with a byte order mark, and lines that end in CRLF."""
    lines = json.dumps(json.loads(page(1, None, 1)), indent=2).replace("\n", "\r\n")
    (tmp_path / "a.json").write_bytes(b"\xff\xfe" + lines.encode("utf-16-le"))
    assert changed_parts(FileSource(str(tmp_path), set()).scan(), tmp_path) == {"a.json": ["e1"]}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "line 1, column 1: the file is empty"),
        (b"\r\n", "line 1, column 1: the file is empty"),
        (b"\x1f\x8b\x08\x00", "line 1, column 1: the file is compressed: unpack it"),
        (b'{"data": []}\n{"data": [', "line 2, column 11: "),
        (b'[{"id": NaN}]', "line 1, column 9: "),
    ],
)
def test_a_broken_file_says_where(tmp_path: Path, content: bytes, reason: str) -> None:
    (tmp_path / "a.json").write_bytes(content)
    (given,) = changed_parts(FileSource(str(tmp_path), set()).scan(), tmp_path).values()
    assert isinstance(given, str)
    assert given.startswith(reason)


def test_a_broken_link_is_unreadable_until_its_target_exists(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").symlink_to(tmp_path / "elsewhere")
    files = FileSource(str(tmp_path), set())
    for _ in range(2):
        assert changed_parts(files.scan(), tmp_path) == {"a.yaml": "No such file or directory"}
    (tmp_path / "elsewhere").write_text(text("a"))
    assert changed_parts(files.scan(), tmp_path) == {"a.yaml": ["a"]}
    (tmp_path / "elsewhere").unlink()
    assert changed_parts(files.scan(), tmp_path) == {"a.yaml": "No such file or directory"}


def test_a_pipe_is_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.yaml")
    assert changed_parts(FileSource(str(tmp_path), set()).scan(), tmp_path) == {"a.yaml": "not a file"}


def test_a_folder_with_the_name_of_a_file_is_a_folder(tmp_path: Path) -> None:
    write(tmp_path / "x.json" / "a.yaml", text("a"))
    assert changed_parts(FileSource(str(tmp_path), set()).scan(), tmp_path) == {"x.json/a.yaml": ["a"]}


@pytest.mark.parametrize("whole", [True, False])
def test_a_source_without_its_path_fails_and_changes_nothing(tmp_path: Path, *, whole: bool) -> None:
    path = tmp_path / "folder" if whole else tmp_path / "folder" / "a.yaml"
    write(tmp_path / "folder" / "a.yaml", text("a"))
    files = FileSource(str(path), set())
    files.scan()
    path.rename(tmp_path / "away")
    for _ in range(2):
        assert files.scan() == Scan([], 1, f"{path}: No such file or directory")
    (tmp_path / "away").rename(path)
    assert not files.scan().error
    assert files.scan() == Scan([], 1)


@pytest.mark.parametrize("another", [False, True], ids=["gone", "replaced"])
def test_a_folder_that_is_renamed_during_a_scan_loses_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, another: bool
) -> None:
    path = tmp_path / "folder"
    for name in ("a.yaml", "deep/b.yaml"):
        write(path / name, text("a"))
    files = FileSource(str(path), set())
    files.scan()
    walk = os.walk

    def interrupted(*arguments: Any, **options: Any) -> Iterator[Any]:  # noqa: ANN401 - those of `os.walk`
        for found in walk(*arguments, **options):
            if not (tmp_path / "away").exists():
                path.rename(tmp_path / "away")
                if another:
                    shutil.copytree(tmp_path / "away", path)
            yield found

    monkeypatch.setattr(os, "walk", interrupted)
    scan = files.scan()
    assert scan.parts == 2
    assert [part for part, given in scan.changes if given is None] == []
    assert scan.error == ("" if another else f"{path}: No such file or directory")


@pytest.fixture
def unprivileged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder of an unprivileged user. Root becomes `nobody` for the test, since permissions do not stop root."""
    folder = tmp_path_factory.mktemp("unprivileged")
    if os.geteuid():
        yield folder
        return
    for each in (folder, *folder.parents[:-1]):
        each.chmod(each.stat().st_mode | 0o711)
    os.chown(folder, 65534, 65534)
    os.seteuid(65534)
    try:
        yield folder
    finally:
        os.seteuid(0)


def test_a_file_without_permission_is_unreadable_until_permission_is_granted(unprivileged: Path) -> None:
    file = write(unprivileged / "a.yaml", text("a"))
    file.chmod(0)
    files = FileSource(str(unprivileged), set())
    assert changed_parts(files.scan(), unprivileged) == {"a.yaml": "Permission denied"}
    assert files.scan() == Scan([], 1)
    file.chmod(0o600)
    assert changed_parts(files.scan(), unprivileged) == {"a.yaml": ["a"]}


def test_files_in_a_folder_without_permission_keep_their_data_and_others_are_read(unprivileged: Path) -> None:
    write(unprivileged / "a.yaml", text("a"))
    write(unprivileged / "closed" / "b.yaml", text("b"))
    write(unprivileged / "closed" / "deep" / "c.yaml", text("c"))
    files = FileSource(str(unprivileged), set())
    files.scan()
    (unprivileged / "closed").chmod(0)
    write(unprivileged / "a.yaml", text("aa"))
    assert changed_parts(files.scan(), unprivileged) == {"a.yaml": ["aa"], "closed": "Permission denied"}
    (unprivileged / "closed").chmod(0o700)
    (unprivileged / "closed" / "b.yaml").unlink()
    assert changed_parts(files.scan(), unprivileged) == {"closed": None, "closed/b.yaml": None}


def test_a_source_without_permission_fails(unprivileged: Path) -> None:
    folder = unprivileged / "folder"
    file = write(folder / "deep" / "a.yaml", text("a"))
    for path, closed in ((folder, folder), (folder / "deep", folder), (file, folder), (file.parent, file.parent)):
        files = FileSource(str(path), set())
        files.scan()
        closed.chmod(0)
        assert files.scan() == Scan([], 1, f"{path}: Permission denied")
        closed.chmod(0o700)
        assert files.scan() == Scan([], 1)


def test_an_empty_folder_is_a_valid_empty_inventory(tmp_path: Path) -> None:
    file = write(tmp_path / "a.yaml", text("a"))
    files = FileSource(str(tmp_path), set())
    files.scan()
    file.unlink()
    assert changed_parts(files.scan(), tmp_path) == {"a.yaml": None}
    assert files.scan() == Scan([], 0)


# -- files that may not be written completely


def test_files_that_changed_a_moment_ago_are_named(tmp_path: Path) -> None:
    file = write(tmp_path / "a.yaml", text("a"))
    changed = file.stat().st_ctime
    for age, is_recent in ((0.0, True), (QUIET - 0.1, True), (QUIET + 0.1, False), (-3600.0, True)):
        files = FileSource(str(tmp_path), set(), wall_clock(partial(float, changed + age)))
        assert files.scan().recent == (frozenset({str(file)}) if is_recent else frozenset())


def test_files_that_are_put_off_are_read_again_but_not_for_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The clock of a file server may be an hour ahead: the file seems to change all the time."""
    file = write(tmp_path / "a.yaml", text("a"))
    gone = write(tmp_path / "gone.yaml", text("gone"))
    files = FileSource(str(tmp_path), set(), wall_clock(lambda: file.stat().st_ctime - 3600))
    files.scan()
    gone.unlink()
    write(file, text("b"))
    now = time.monotonic()
    for seconds in (0.0, 5.0, LONGEST_WAIT - 0.1):
        monkeypatch.setattr(time, "monotonic", partial(float, now + seconds))
        scan = files.scan()
        assert changed_parts(scan, tmp_path) == {"a.yaml": ["b"], "gone.yaml": None}
        assert scan.recent == {str(file)}
        files.put_off(dict(scan.changes))
    monkeypatch.setattr(time, "monotonic", partial(float, now + LONGEST_WAIT + 0.1))
    assert files.scan().recent == frozenset()
    assert files.scan() == Scan([], 1)


def test_every_file_is_read_again_on_request(tmp_path: Path) -> None:
    write(tmp_path / "a.yaml", text("a"))
    files = FileSource(str(tmp_path), {str(tmp_path / "gone.yaml")})
    files.scan()
    files.read_all([str(tmp_path / "a.yaml")])
    assert changed_parts(files.scan(), tmp_path) == {"a.yaml": ["a"]}


def test_a_file_that_is_missing_but_has_data_is_deleted_at_such_a_request(tmp_path: Path) -> None:
    write(tmp_path / "a.yaml", text("a"))
    files = FileSource(str(tmp_path), set())
    files.scan()
    files.read_all([str(tmp_path / "dropped.yaml")])
    assert changed_parts(files.scan(), tmp_path) == {"a.yaml": ["a"], "dropped.yaml": None}


def test_a_folder_that_becomes_an_unreadable_file_keeps_its_files(tmp_path: Path) -> None:
    folder = tmp_path / "estate"
    write(folder / "a.yaml", text("a"))
    files = FileSource(str(folder), set())
    files.scan()
    folder.rename(tmp_path / "away")
    write(folder, "endpoints: [")
    scan = files.scan()
    assert scan.changes == []
    assert "it was a folder, and is a file now" in scan.error
    write(folder, '{"endpoints": [{"name": "b"}]}')
    assert changed_parts(files.scan(), tmp_path) == {"estate": ["b"], "estate/a.yaml": None}
