"""The log level of all processes, as control knows it. The supervisor sets the level, and sets it back in time."""

from resolver.process import log, wall_clock
from resolver.process.orders import OrderReceiver, UseLogLevel
from resolver.settings import LogLevelName
from zones.clocks import WallTime


class LogLevel:
    """The level in effect. `configured`: that of the configuration at the start."""

    def __init__(self, configured: LogLevelName, orders: OrderReceiver) -> None:
        self._orders = orders
        self.configured: LogLevelName = configured
        self.level: LogLevelName = configured
        self.until: WallTime | None = None
        """When the level goes back to the configured one; None while it is that."""

    def request(self, level: LogLevelName, seconds: int) -> None:
        """Have all processes log at this level for so many seconds. Raises OSError where no supervisor reads."""
        self._orders.send_log_level(level, seconds)

    def received(self, order: UseLogLevel) -> None:
        """Take the level that the supervisor has set."""
        log.set_level(order.level)
        self.level = order.level
        self.until = WallTime(wall_clock.now() + order.seconds) if order.seconds else None
