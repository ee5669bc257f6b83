"""The watch of a files source: real changes, noticed by the real watcher."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

import pytest

from resolver.sources.files import FileSource
from resolver.sources.reading import Scan
from tests.resolver.sources.test_files import names, text, write

DEADLINE = 60.0


class Watching:
    """Follows a source as control does."""

    def __init__(self, files: FileSource, looks: AsyncIterator[None]) -> None:
        self.files, self.looks = files, looks

    async def until(self, condition: Callable[[Scan], object]) -> Scan:
        """Scan after each possible change until the condition is true."""
        async with asyncio.timeout(DEADLINE):
            async for _ in self.looks:
                scan = self.files.scan()
                if condition(scan):
                    return scan
        raise AssertionError

    async def sees(self, part: Path, name: str) -> None:
        await self.until(
            lambda scan: any(p == str(part) and given and names(given) == [name] for p, given in scan.changes)
        )


@asynccontextmanager
async def watching(path: Path) -> AsyncIterator[Watching]:
    """Follow a source that has been read once and is being watched."""
    files = FileSource(str(path), set())
    async with aclosing(files.changed()) as looks:
        watch = Watching(files, looks)
        files.scan()
        await watch.until(lambda _: True)
        yield watch


async def test_changes_in_a_folder_are_noticed(tmp_path: Path) -> None:
    file = write(tmp_path / "a.yaml", text("a"))
    async with watching(tmp_path) as watch:
        write(file, text("b"))
        await watch.sees(file, "b")
        file.write_text(text("in place"))
        await watch.sees(file, "in place")
        write(tmp_path / "deep" / "er" / "c.yaml", text("c"))
        await watch.sees(tmp_path / "deep" / "er" / "c.yaml", "c")
        write(tmp_path / "deep" / "er" / "c.yaml", text("d"))
        await watch.sees(tmp_path / "deep" / "er" / "c.yaml", "d")
        file.unlink()
        await watch.until(lambda scan: (str(file), None) in scan.changes)


async def test_changes_of_a_single_file_are_noticed(tmp_path: Path) -> None:
    file = write(tmp_path / "a.yaml", text("a"))
    async with watching(file) as watch:
        write(file, text("b"))
        await watch.sees(file, "b")
        file.unlink()
        await watch.until(lambda scan: scan.error)
        write(file, text("c"))
        await watch.sees(file, "c")


async def test_a_change_between_the_scan_and_the_start_of_the_watch_is_noticed(tmp_path: Path) -> None:
    file = write(tmp_path / "a.yaml", text("a"))
    files = FileSource(str(tmp_path), set())
    files.scan()
    write(file, text("b"))
    async with aclosing(files.changed()) as looks:
        await Watching(files, looks).sees(file, "b")


@pytest.mark.parametrize("path", ["folder", "folder/a.yaml", "not/yet/there", "not/yet/there/a.yaml"])
async def test_a_path_that_does_not_exist_yet_is_read_once_it_does(tmp_path: Path, path: str) -> None:
    async with watching(tmp_path / path) as watch:
        file = tmp_path / path if path.endswith("yaml") else tmp_path / path / "b.yaml"
        write(file, text("b"))
        await watch.sees(file, "b")
        write(file, text("c"))
        await watch.sees(file, "c")


async def test_a_folder_that_is_replaced_is_watched_again(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    write(folder / "a.yaml", text("a"))
    async with watching(folder) as watch:
        write(tmp_path / "fresh" / "a.yaml", text("b"))
        folder.rename(tmp_path / "old")
        (tmp_path / "fresh").rename(folder)
        await watch.sees(folder / "a.yaml", "b")
        shutil.rmtree(folder)
        write(folder / "a.yaml", text("c"))
        await watch.sees(folder / "a.yaml", "c")
        write(folder / "a.yaml", text("d"))
        await watch.sees(folder / "a.yaml", "d")


async def test_a_replaced_link_above_the_path_is_noticed(tmp_path: Path) -> None:
    """git-sync and release folders replace the link `current` by one to another folder."""
    for version in ("1", "2"):
        write(tmp_path / version / "estate" / "a.yaml", text(f"a{version}"))
    (tmp_path / "current").symlink_to("1")
    folder = tmp_path / "current" / "estate"
    async with watching(folder) as watch:
        (tmp_path / "fresh").symlink_to("2")
        (tmp_path / "fresh").rename(tmp_path / "current")
        await watch.sees(folder / "a.yaml", "a2")
        write(tmp_path / "2" / "estate" / "a.yaml", text("a3"))
        await watch.sees(folder / "a.yaml", "a3")


@pytest.mark.parametrize("path", ["estate/a.yaml", "estate"], ids=["the source is a link", "a file of the source is"])
async def test_a_linked_file_is_watched_where_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    monkeypatch.setattr("resolver.sources.files.RESCAN", DEADLINE)
    link, target = tmp_path / "estate" / "a.yaml", tmp_path / "dump" / "a.yaml"
    write(target, text("a"))
    link.parent.mkdir()
    (tmp_path / "dump" / "middle.yaml").symlink_to("a.yaml")
    link.symlink_to(tmp_path / "dump" / "middle.yaml")
    async with watching(tmp_path / path) as watch:
        target.write_text(text("in"))
        await watch.sees(link, "in")
        write(target, text("replaced"))
        await watch.sees(link, "replaced")
        write(tmp_path / "dump" / "b.yaml", text("switched"))
        (tmp_path / "dump" / "fresh").symlink_to("b.yaml")
        (tmp_path / "dump" / "fresh").rename(tmp_path / "dump" / "middle.yaml")
        await watch.sees(link, "switched")
        write(tmp_path / "dump" / "b.yaml", text("again"))
        await watch.sees(link, "again")


async def test_a_folder_that_becomes_a_file_is_watched_as_one(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    write(path / "b.yaml", text("b"))
    async with watching(path) as watch:
        shutil.rmtree(path)
        write(path, text("a"))
        await watch.sees(path, "a")
        write(path, text("c"))
        await watch.sees(path, "c")
