"""The packages of npm that the page is built from: pinned, with hashes, and from no registry of somebody."""

import json
import re

from tests.paths import ROOT

PAGE = ROOT / "page"


def test_every_package_is_pinned_with_its_hash_and_names_no_registry() -> None:
    text = (PAGE / "package-lock.json").read_text()
    packages = json.loads(text)["packages"]
    assert all(each.get("integrity", "").startswith("sha512-") for name, each in packages.items() if name)
    assert "resolved" not in text
    assert re.findall(r"https?://[^\"]*registry[^\"]*", text) == []


def test_versions_are_exact() -> None:
    wanted = json.loads((PAGE / "package.json").read_text())
    versions = [*wanted["dependencies"].values(), *wanted["devDependencies"].values()]
    assert [each for each in versions if not re.fullmatch(r"[0-9]+\.[0-9]+\.[0-9]+", each)] == []


def test_scripts_of_packages_do_not_run() -> None:
    assert "ignore-scripts=true" in (PAGE / ".npmrc").read_text().splitlines()


def test_sources_use_no_way_around_the_escaping_of_text() -> None:
    sources = [file for file in (PAGE / "src").rglob("*.ts*") if file.is_file()]
    assert sources
    ways = re.compile(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function\(")
    assert [str(file.relative_to(ROOT)) for file in sources if ways.search(file.read_text())] == []
