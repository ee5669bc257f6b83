"""The version of pldns, in a module that takes no time to import."""

from typing import Final

VERSION: Final = "0.1.0"
