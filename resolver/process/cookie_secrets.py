"""The syntax of the file with secrets for DNS cookies (RFC 7873). Does not read the file itself."""


def read_secrets(text: str) -> tuple[bytes, ...]:
    """Return the secrets in the text of a file, in its order: 32 hexadecimal digits per line; `#` starts a comment.

    Raises `ValueError` with the number of a bad line, or where the text has no secret.
    """
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
        raise ValueError("the file has no secret")
    return tuple(secrets)
