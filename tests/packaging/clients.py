"""Clients that generators make from the OpenAPI document: their types are checked, and each asks a running pldns.

openapi-python-client makes the Python one, openapi-typescript and openapi-fetch the TypeScript one, openapi-generator
the Go one. A client whose tools are missing is skipped.
"""

import json
import os
import shutil
import sys
from pathlib import Path
from typing import Final

import pytest

from tests.live.daemon import Daemon
from tests.live.test_api import TOKEN, daemon
from tests.packaging.programs import run
from tests.paths import ROOT

__all__ = ["daemon"]
TOOLS: Final = ROOT / "build/clients/bin"
PACKAGES: Final = ROOT / "build/clients/npm/node_modules"
SAID: Final = "true conflicting-address shop.blob.core.windows.net"
PYTHON: Final = """
import sys

from pldns_client import AuthenticatedClient
from pldns_client.api.explain import get_explain
from pldns_client.api.findings import list_findings
from pldns_client.api.status import get_status
from pldns_client.models import DaemonStatus, Explanation, FindingList, ListFindingsCodeItem

client = AuthenticatedClient(base_url=sys.argv[1], token=sys.argv[2])
status = get_status.sync(client=client)
assert isinstance(status, DaemonStatus), status
findings = list_findings.sync(client=client, code=[ListFindingsCodeItem.CONFLICTING_ADDRESS])
assert isinstance(findings, FindingList), findings
explained = get_explain.sync(client=client, name="shop.blob.core.windows.net")
assert isinstance(explained, Explanation), explained
print(str(status.ready).lower(), findings.items[0].code, explained.name)
"""
TYPESCRIPT: Final = """
import createClient from "openapi-fetch";
import type { paths } from "./api.js";

const [baseUrl, token] = process.argv.slice(2);
const client = createClient<paths>({ baseUrl, headers: { Authorization: `Bearer ${token}` } });
const status = await client.GET("/v1/status");
const findings = await client.GET("/v1/findings", { params: { query: { code: ["conflicting-address"] } } });
const explained = await client.GET("/v1/explain", { params: { query: { name: "shop.blob.core.windows.net" } } });
if (!status.data || !findings.data || !explained.data) throw new Error("no data");
console.log(status.data.ready, findings.data.items[0]?.code, explained.data.name);
"""
GO: Final = """
package main

import (
	"context"
	"fmt"
	"os"

	pldns "pldns"
)

func must[T any](value *T, _ any, err error) *T {
	if err != nil {
		panic(err)
	}
	return value
}

func main() {
	settings := pldns.NewConfiguration()
	settings.Servers = pldns.ServerConfigurations{{URL: os.Args[1]}}
	ctx := context.WithValue(context.Background(), pldns.ContextAccessToken, os.Args[2])
	client := pldns.NewAPIClient(settings)
	status := must(client.StatusAPI.GetStatus(ctx).Execute())
	findings := must(client.FindingsAPI.ListFindings(ctx).Code([]string{"conflicting-address"}).Execute())
	explained := must(client.ExplainAPI.GetExplain(ctx).Name("shop.blob.core.windows.net").Execute())
	fmt.Println(status.Ready, findings.Items[0].Code, explained.Name)
}
"""


@pytest.fixture
def document(daemon: Daemon, tmp_path: Path) -> Path:
    """The document that the daemon serves, in a folder for the client."""
    path = tmp_path / "openapi.json"
    path.write_text(json.dumps(daemon.unix("GET", "/v1/openapi.json")[1]))
    return path


def needs(*programs: str) -> None:
    """Skip the test where a program is missing."""
    for each in programs:
        if not shutil.which(each):
            pytest.skip(f"{each} is not installed")


def test_python(daemon: Daemon, document: Path) -> None:
    folder = document.parent
    path = f"PATH={TOOLS}:{os.environ['PATH']}"  # it formats with ruff
    made = run(
        "env", path, TOOLS / "openapi-python-client", "generate", "--path", document, "--meta", "none", "--output-path",
        folder / "pldns_client", "--fail-on-warning", cwd=folder,
    )  # fmt: skip
    assert "WARNING" not in made
    (folder / "call.py").write_text(PYTHON)
    # The generator copies this module as it is: no part comes from the document.
    (folder / "mypy.ini").write_text("[mypy]\nstrict = True\n[mypy-pldns_client.client]\nignore_errors = True\n")
    run(sys.executable, "-m", "mypy", "--python-executable", TOOLS / "python", "call.py", cwd=folder)
    assert run(TOOLS / "python", "call.py", f"http://127.0.0.1:{daemon.admin}", TOKEN, cwd=folder).strip() == SAID


def test_typescript(daemon: Daemon, document: Path) -> None:
    needs("node", "npm")
    folder = document.parent
    (folder / "node_modules").symlink_to(PACKAGES)
    (folder / "package.json").write_text('{"type": "module"}')
    (folder / "call.ts").write_text(TYPESCRIPT)
    run(PACKAGES / ".bin/openapi-typescript", document, "--output", folder / "api.d.ts", cwd=folder)
    strict = ("--strict", "--noUncheckedIndexedAccess", "--module", "nodenext", "--target", "es2022", "--types", "node")
    run(PACKAGES / ".bin/tsc", *strict, "call.ts", cwd=folder)
    assert run("node", "call.js", f"http://127.0.0.1:{daemon.admin}", TOKEN, cwd=folder).strip() == SAID


def test_go(daemon: Daemon, document: Path) -> None:
    needs("java", "go")
    folder = document.parent / "go"
    run(
        TOOLS / "openapi-generator-cli", "generate", "-g", "go", "-i", document, "-o", folder,
        "-p", "packageName=pldns,enumClassPrefix=true,withGoMod=false",
        "--global-property", "apiDocs=false,modelDocs=false,apiTests=false,modelTests=false", cwd=document.parent,
    )  # fmt: skip
    (folder / "go.mod").write_text("module pldns\n\ngo 1.19\n")
    (folder / "call").mkdir()
    (folder / "call/main.go").write_text(GO.strip())
    run("go", "vet", "./...", cwd=folder)
    assert run("go", "run", "./call", f"http://127.0.0.1:{daemon.admin}", TOKEN, cwd=folder).strip() == SAID
