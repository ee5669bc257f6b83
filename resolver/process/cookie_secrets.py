"""The file of DNS cookie secrets: its syntax."""


def read_secrets(text: str) -> tuple[bytes, ...]:
    """The secrets of a file: 32 hexadecimal digits a line, `#` begins a comment. Raises `ValueError` with the line."""
    secrets = []
    for number, line in enumerate(text.splitlines(), 1):
        digits = line.partition("#")[0].strip()
        if not digits:
            continue
        try:
            secret = bytes.fromhex(digits)
        except ValueError:
            secret = b""
        if len(secret) != 16:
            raise ValueError(f"line {number}: not 32 hexadecimal digits")
        secrets.append(secret)
    if not secrets:
        raise ValueError("no secret in it")
    return tuple(secrets)
