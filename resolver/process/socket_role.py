"""The role of a listening socket: the supervisor binds sockets with a role, and a worker reads them by it."""

from enum import StrEnum


class SocketRole(StrEnum):
    """The protocol on a socket. With `DNS`, the socket's type decides between UDP and TCP; other roles use TCP."""

    DNS = "dns"
    TLS = "tls"
    HTTPS = "https"
