"""Reads secrets that the configuration refers to, from a file or an environment variable.

Does not know what a secret is for. No part of a secret is ever in an error.
"""

import os
from collections.abc import Mapping
from pathlib import Path

from resolver.azure_settings import Secret


class NoSecret(Exception):  # noqa: N818 - the missing thing
    """A secret cannot be read. The message is one line for people, with the file or variable."""


def text(secret: Secret | None, environ: Mapping[str, str] = os.environ) -> str:
    """Return the secret as text, without the end of its line. Raises `NoSecret`."""
    try:
        return octets(secret, environ).decode().rstrip("\r\n")
    except UnicodeDecodeError:
        raise NoSecret(f"the secret in {_location(secret)} is not UTF-8") from None


def octets(secret: Secret | None, environ: Mapping[str, str] = os.environ) -> bytes:
    """Return the secret as it is. Raises `NoSecret`."""
    if secret is None:
        raise NoSecret("the credential names no secret")
    try:
        found = Path(secret.file).read_bytes() if secret.file else environ.get(secret.environment, "").encode()
    except OSError as error:
        raise NoSecret(f"{secret.file} cannot be read: {error.strerror}") from None
    if not found.strip():
        raise NoSecret(f"{_location(secret)} is empty")
    return found


def _location(secret: Secret | None) -> str:
    assert secret is not None  # noqa: S101 - it has been read
    return secret.file or f"the environment variable {secret.environment}"
