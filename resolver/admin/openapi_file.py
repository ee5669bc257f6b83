"""Writes the OpenAPI document into a file: `python -m resolver.admin.openapi_file PATH`.

The page takes its types from it.
"""

import json
import sys
from pathlib import Path

from resolver.admin import openapi
from resolver.admin.routes import ROUTES


def main(path: Path) -> None:
    """Write the document."""
    path.write_text(json.dumps(openapi.document(ROUTES)))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
