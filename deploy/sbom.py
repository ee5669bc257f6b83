"""Completes the bill of materials: `python deploy/sbom.py FILE`, a CycloneDX document of the Python packages.

Adds the version of pldns, and the npm packages whose code is in the page, with their licences and hashes. The manifest
of the page names these packages; page/package-lock.json has their versions.
"""

import base64
import json
import re
import sys
from pathlib import Path
from typing import Any, Final

TOP: Final = Path(__file__).parents[1]


def library(name: str, locked: dict[str, Any]) -> dict[str, Any]:
    """Return the component of an npm package. `locked`: its entry in package-lock.json."""
    algorithm, _, digest = locked["integrity"].partition("-")
    scope, _, short = name.rpartition("/")
    component = {
        "bom-ref": f"npm:{name}",
        "hashes": [{"alg": algorithm.replace("sha", "SHA-"), "content": base64.b64decode(digest).hex()}],
        "licenses": [{"expression": locked["license"]}],
        "name": short,
        "purl": f"pkg:npm/{name.replace('@', '%40')}@{locked['version']}",
        "type": "library",
        "version": locked["version"],
    }
    return component | ({"group": scope} if scope else {})


def main(bill: Path) -> None:
    """Complete the document in place."""
    document = json.loads(bill.read_bytes())
    manifest = json.loads((TOP / "resolver/dashboard/assets/manifest.json").read_bytes())
    locked = json.loads((TOP / "page/package-lock.json").read_bytes())["packages"]
    (version,) = re.findall(r'VERSION: Final = "([^"]+)"', (TOP / "resolver/version.py").read_text())
    document["metadata"]["component"]["version"] = version
    for name in manifest["libraries"]:
        component = library(name, locked[f"node_modules/{name}"])
        document["components"].append(component)
        document["dependencies"].append({"ref": component["bom-ref"]})
    bill.write_text(f"{json.dumps(document, indent=2)}\n")


main(Path(sys.argv[1]))
