"""The error of a command that a person can correct. The entry point prints its text on one line of stderr."""


class Failed(Exception):  # noqa: N818 - the command failed, not the program
    """The command cannot do what was asked; the text says why, and what to do."""


class NoDaemon(Failed):
    """No daemon answers."""


class NotFound(Failed):
    """The daemon has nothing of this name."""
