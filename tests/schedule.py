"""How `pytest -n` shares the tests out: one by one, but the tests of one running daemon go to one process.

A fixture of module or session scope is made once in every process that runs a test of it. That is waste where the
fixture starts a daemon, so the tests of such a file are one unit of work. All other tests are units of their own, which
keeps every process busy to the end.

Does not know what the tests do, or how many processes there are.
"""

from typing import Final

from xdist.scheduler import LoadScopeScheduling

TOGETHER: Final = {
    "tests/conformance/test_rfc8906.py": "conformance",
    "tests/conformance/test_tools.py": "conformance",
    "tests/live/test_access.py": "access",
    "tests/live/test_api.py": "api",
    "tests/live/test_azure_bad_input.py": "azure bad input",
    "tests/live/test_azure_faults.py": "azure faults",
    "tests/live/test_behind.py": "behind",
    "tests/live/test_dashboard.py": "dashboard",
    "tests/live/test_dashboard_actions.py": "dashboard actions",
    "tests/live/test_dashboard_bad_input.py": "dashboard bad input",
    "tests/live/test_dashboard_errors.py": "dashboard errors",
    "tests/live/test_dashboard_keyboard.py": "dashboard keyboard",
    "tests/live/test_dashboard_large.py": "dashboard large",
    "tests/live/test_dashboard_map.py": "dashboard map",
    "tests/live/test_dashboard_reading.py": "dashboard reading",
    "tests/live/test_dashboard_outage.py": "dashboard outage",
    "tests/live/test_dashboard_registry.py": "dashboard registry",
    "tests/live/test_dashboard_roles.py": "dashboard roles",
    "tests/live/test_dashboard_search.py": "dashboard search",
    "tests/live/test_dashboard_sign_in.py": "dashboard sign-in",
    "tests/live/test_dashboard_views.py": "dashboard views",
    "tests/live/test_dnssec.py": "dnssec",
    "tests/live/test_hub.py": "hub",
    "tests/live/test_operators.py": "operators",
    "tests/live/test_registry.py": "registry",
    "tests/live/test_registry_az.py": "az",
    "tests/live/test_registry_commands.py": "registry commands",
    "tests/live/test_registry_javascript.py": "javascript",
    "tests/live/test_registry_postgres.py": "registry postgres",
    "tests/live/test_registry_sdk.py": "registry sdk",
    "tests/live/test_what_is_a_private_endpoint.py": "private endpoint",
    "tests/resolver/cli/test_cache.py": "cli",
    "tests/resolver/cli/test_healthcheck.py": "cli",
    "tests/resolver/cli/test_listings.py": "cli",
    "tests/resolver/cli/test_query.py": "cli",
    "tests/resolver/registry/store/test_leader.py": "postgres",
    "tests/resolver/registry/store/test_shared_database.py": "postgres",
    "tests/resolver/registry/store/test_shared_database_faults.py": "postgres",
}
"""The unit of work by file."""


class Schedule(LoadScopeScheduling):  # type: ignore[misc]  # xdist has no types
    """The plan of one run. Units of many tests are started first."""

    def _split_scope(self, nodeid: str) -> str:
        """Return the unit of work that a test belongs to."""
        return TOGETHER.get(nodeid.partition("::")[0], nodeid)
