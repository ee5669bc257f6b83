"""Which cached answers other settings would make differently. These are dropped when a configuration takes over.

For settings with which the table keeps its meaning (`settings_change.table_digest`): otherwise the worker has a new
table and no compiled answer. Does not know how settings arrive. Pure.
"""

from resolver.forward.cache import UpstreamCache
from resolver.forward.routing import PUBLIC
from resolver.settings import UpstreamGroup, WorkerSettings
from resolver.worker.answer.answer_cache import AnswerCache
from resolver.worker.answer.designation import designation
from zones.dns.name import Name, from_text


def drop_changed(old: WorkerSettings, new: WorkerSettings, answers: AnswerCache, cache: UpstreamCache) -> int:
    """Drop the answers, and the replies of upstream servers, that depend on what differs. Return how many answers."""
    groups = _changed_groups(old, new)
    for group in groups:
        if _servers(_group(old, group)) != _servers(_group(new, group)):
            cache.forget_group(group)
    if _form(old) != _form(new):
        count = len(answers)
        answers.clear()
        return count
    count = answers.evict((), _subtrees(old, new, groups))
    if any(_is_asked_for_any_name(group, (old, new)) for group in groups):
        count += answers.evict_expiring()
    return count


def _form(settings: WorkerSettings) -> tuple[object, ...]:
    """Return the settings that any answer may show, or that decide which client may have a kept reply."""
    return (
        settings.identity, designation(settings), settings.payload, settings.rotate, settings.unproven,
        settings.zones.strip_hints, settings.zones.local_reverse,
    )  # fmt: skip


def _subtrees(old: WorkerSettings, new: WorkerSettings, groups: set[str]) -> set[Name]:
    """Return the suffixes at and under which names are treated differently."""
    found = set(old.drop_names) ^ set(new.drop_names)
    found |= set(old.zones.private_only) ^ set(new.zones.private_only)
    for settings in (old, new):
        for group in settings.upstreams:
            if group.name in groups:
                found.update(group.suffixes)
    return set(map(from_text, found))


def _changed_groups(old: WorkerSettings, new: WorkerSettings) -> set[str]:
    """Return the names of the groups whose answers may differ."""
    return {
        group.name
        for one, other in ((old, new), (new, old))
        for group in one.upstreams
        if _answering(group) != _answering(_group(other, group.name))
    }


def _answering(group: UpstreamGroup | None) -> object:
    return group and (_servers(group), group.suffixes, group.rebinding)


def _servers(group: UpstreamGroup | None) -> object:
    return group and frozenset(group.servers)


def _group(settings: WorkerSettings, name: str) -> UpstreamGroup | None:
    return next((group for group in settings.upstreams if group.name == name), None)


def _is_asked_for_any_name(group: str, both: tuple[WorkerSettings, WorkerSettings]) -> bool:
    """Return whether names without a suffix of the group may go to it."""
    misses = {
        policy.on_miss for settings in both for policy in (settings.zones.defaults, *settings.zones.overrides.values())
    }
    return group == PUBLIC or f"forward:{group}" in misses
