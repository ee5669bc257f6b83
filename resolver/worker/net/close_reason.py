"""Why a connection ended, as it is counted."""

from typing import Literal

CloseReason = Literal["ended", "idle", "limit", "client_limit", "memory", "dropped", "proxy", "handshake", "stop"]
"""`ended` by the client or its session, `stop` with the worker."""
