"""Errors as Azure Resource Manager reports them: an HTTP status, a code, a sentence, and the place in the request.

Does not know HTTP: `registry/arm` writes the error body. The codes are those of Azure, so that the tools which compare
them work; the sentences say what is wrong, where, and what to do.
"""


class ArmFailure(Exception):  # noqa: N818 - Azure's documentation says "failure" where an operation did not succeed
    """A request that Azure Resource Manager refuses.

    `status` is the HTTP status, `code` is Azure's code (`SubnetIsFull`), `message` is one or more plain sentences, and
    `target` is the id of the resource or the path in the body that the message is about; it may be empty.
    """

    def __init__(self, status: int, code: str, message: str, target: str = "") -> None:
        super().__init__(status, code, message, target)
        self.status = status
        self.code = code
        self.message = message
        self.target = target

    def __str__(self) -> str:
        """Return the code and the message."""
        return f"{self.code}: {self.message}"


def bad_request(code: str, message: str, target: str = "") -> ArmFailure:
    """Return a failure with status 400: the request itself is wrong."""
    return ArmFailure(400, code, message, target)


def no_database() -> ArmFailure:
    """Return the failure of every request while the database of the registry cannot be used."""
    return ArmFailure(503, "ServiceUnavailable", "The database of the registry cannot be used now. Try again.")
