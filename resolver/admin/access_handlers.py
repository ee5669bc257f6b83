"""Handlers for bearer tokens and the audit log."""

import time

from aiohttp import web

from resolver.admin.access.audit import Entry
from resolver.admin.access.problems import Code, Refused
from resolver.admin.access.tokens import MadeToken, NameTaken
from resolver.admin.filters import page_request
from resolver.admin.paging import SortKey, page
from resolver.admin.resources import access
from resolver.admin.resources.access import AuditParameters, NewToken, RegistryRolesRequest, RevokeRequest, TokenRequest
from resolver.admin.resources.model import ListParameters, nearest, no_such
from resolver.admin.responses import encoded, item_response, list_response
from resolver.admin.route import Context
from resolver.admin_settings import AdminToken
from resolver.registry_roles import RegistryRoles

_LAST = 1 << 62


async def list_tokens(context: Context, request: web.Request, asked: ListParameters) -> web.Response:
    """Answer with the tokens of the configuration and those that were made, sorted by name."""
    found: list[AdminToken | MadeToken] = [*context.estate.settings.admin.tokens, *context.tokens.made.values()]
    return list_response(
        await page(
            found, lambda item: (item.name,), lambda item: encoded(access.token(item)), page_request(request, asked)
        )
    )


async def new(context: Context, request: web.Request, wanted: TokenRequest) -> web.Response:
    """Make a token."""
    if any(each.name == wanted.name for each in context.estate.settings.admin.tokens):
        raise Refused(Code.NAME_TAKEN, f"the configuration has a token `{wanted.name}`")
    expires = wanted.expires.timestamp() if wanted.expires else None
    if expires is not None and expires <= time.time():
        raise Refused(Code.INVALID_BODY, "expires: this time has passed")
    roles = _roles(context, wanted.registry) if wanted.registry else None
    if wanted.role == "registry" and not (roles and roles.visible):
        raise Refused(Code.INVALID_BODY, "registry: a token with the role `registry` needs a subscription")
    try:
        made, text = context.tokens.add(wanted.name, wanted.role, expires, roles)
    except NameTaken as error:
        raise Refused(Code.NAME_TAKEN, str(error)) from None
    except OSError as error:
        raise Refused(Code.STATE_UNWRITABLE, f"the token cannot be saved: {error.strerror or error}") from None
    item = access.token(made)
    roles_given = {"registry": item.registry.model_dump()} if item.registry else {}
    after = {"role": item.role, "expires": item.expires, **roles_given}
    context.audit(request, "token.new", made.name, {}, after)
    return item_response(NewToken(**item.model_dump(), token=text), status=201)


def _roles(context: Context, given: RegistryRolesRequest) -> RegistryRoles:
    """Return roles in the registry. Raises `Refused` for a subscription that the registry does not have."""
    registry = context.estate.settings.registry
    known = (
        {text.casefold(): each.id for each in registry.subscriptions for text in (each.id, each.name)}
        if registry
        else {}
    )

    def ids(texts: list[str]) -> frozenset[str]:
        for text in texts:
            if text.casefold() not in known:
                near = nearest(text, known)
                raise Refused(Code.INVALID_BODY, f"registry: {no_such('subscription', text, near)}", nearest=near)
        return frozenset(known[text.casefold()] for text in texts)

    return RegistryRoles(ids(given.owner), ids(given.consumer), ids(given.reader))


async def revoke(context: Context, request: web.Request, _: RevokeRequest) -> web.Response:
    """Remove a token that was made."""
    name = request.match_info["name"]
    # A reload may bring a token of the name of one that was made. The made one is removed then.
    if name not in context.tokens.made and any(each.name == name for each in context.estate.settings.admin.tokens):
        raise Refused(Code.CONFIGURED, f"token `{name}` is in the configuration; remove it there, and reload")
    try:
        item = access.token(context.tokens.revoke(name))
    except KeyError:
        near = nearest(name, context.tokens.made)
        raise Refused(Code.UNKNOWN_TOKEN, no_such("token", name, near), nearest=near) from None
    except OSError as error:
        raise Refused(Code.STATE_UNWRITABLE, f"the tokens cannot be saved: {error.strerror or error}") from None
    context.audit(request, "token.revoke", name, {"role": item.role, "expires": item.expires}, {})
    return item_response(item)


async def list_audit(context: Context, request: web.Request, asked: AuditParameters) -> web.Response:
    """Answer with the changes, the newest first."""
    names, people = ({each.casefold() for each in said} for said in (asked.name, asked.who))

    def key(item: Entry) -> SortKey | None:
        wanted = (not names or item.target.casefold() in names) and (not people or item.who.casefold() in people)
        return (f"{_LAST - item.id}",) if wanted else None

    return list_response(
        await page(
            context.audit_log.entries, key, lambda item: encoded(access.entry(item)), page_request(request, asked)
        )
    )
