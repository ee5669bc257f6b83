"""`address:port` and `[address]:port`: the text form of a socket address (RFC 3986 section 3.2.2)."""


def split(address: str) -> tuple[str, int]:
    """Host without brackets, and port."""
    host, _, port = address.rpartition(":")
    return host.strip("[]"), int(port)


def join(host: str, port: int) -> str:
    """The text of a host and port; an IPv6 address is put in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
