"""The public keys with which an OpenID provider signs its tokens (RFC 7517): which of them may be used, and for what.

Does not know how a key set is read (`oidc_provider`), or what a token says.
"""

from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any, Final, NamedTuple

_MOST: Final = 100
"""Keys that are used."""
_RSA_BITS: Final = 2048
_ALGORITHMS: Final[Mapping[str, tuple[str, ...]]] = {
    "RSA": ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    "EC": ("ES256", "ES384", "ES512"),
}
"""By type of key. No algorithm with a shared secret is among them, and not `none`."""


class SigningKey(NamedTuple):
    """A public key, and the algorithms with which it may have signed."""

    key: Any
    algorithms: tuple[str, ...]


def usable(given: Iterable[Mapping[str, Any]]) -> dict[str, SigningKey]:
    """Return the keys of a key set that may be used, by id. Further ones than the first 100 are left out."""
    keys: dict[str, SigningKey] = {}
    for each in islice(given, _MOST):
        kid, made = each.get("kid"), _key(each)
        if isinstance(kid, str) and made:
            keys[kid] = made
    return keys


def _key(given: Mapping[str, Any]) -> SigningKey | None:
    """Return a key of a key set; None for a key that does not sign, or that cannot be used."""
    import jwt  # noqa: PLC0415 - only users of OpenID pay for it

    algorithms = _ALGORITHMS.get(str(given.get("kty")), ())
    if "alg" in given:
        algorithms = tuple(each for each in algorithms if each == given["alg"])
    if not algorithms or given.get("use", "sig") != "sig":
        return None
    try:
        key = jwt.PyJWK(dict(given), algorithms[0]).key
    except (jwt.PyJWTError, ValueError, TypeError):
        return None
    if hasattr(key, "private_numbers") or (
        "RS256" in _ALGORITHMS.get(str(given["kty"]), ()) and key.key_size < _RSA_BITS
    ):
        return None
    return SigningKey(key, algorithms)
