"""Configuration of the query log."""

from collections.abc import Callable
from pathlib import Path

import pytest

from resolver import settings
from resolver.config.file import ConfigError, load
from resolver.query_log_settings import AddressMask, QuerySelection

Load = Callable[[str], settings.Accepted]


@pytest.fixture
def accepted(tmp_path: Path) -> Load:
    """Return the settings of a configuration with this `query_log` section."""

    def read(section: str) -> settings.Accepted:
        file = tmp_path / "pldns.yaml"
        file.write_text(
            f"dns: {{identity: ns1}}\nupstreams: {{public: {{servers: ['udp://127.0.0.1:9']}}}}\n"
            f"networks: [{{name: weu, clients: [10.0.0.0/8]}}]\n{section}\n"
        )
        return load(file, {})

    return read


def test_queries_are_not_logged_by_default(accepted: Load) -> None:
    found = accepted("")
    assert (found.query_log, found.worker.query_log) == (None, None)


def test_an_empty_section_logs_every_query_to_stdout(accepted: Load) -> None:
    found = accepted("query_log: {}")
    assert found.worker.query_log == QuerySelection()
    assert found.query_log
    assert found.query_log.lines
    assert (found.query_log.lines.to, found.query_log.dnstap, found.query_log.mask) == ("stdout", None, AddressMask())


def test_all_means_every_class(accepted: Load) -> None:
    assert accepted("query_log: {classes: [error, all]}").worker.query_log == QuerySelection()


def test_paths_are_relative_to_the_configuration(accepted: Load, tmp_path: Path) -> None:
    found = accepted("query_log: {to: ./q.log, classes: [error, error], networks: [weu, none], sample: 7}")
    assert found.worker.query_log == QuerySelection(("error",), ("weu", "none"), 7)
    assert found.query_log
    assert found.query_log.lines
    assert found.query_log.lines.to == str(tmp_path / "q.log")


@pytest.mark.parametrize(
    ("to", "address"),
    [
        ("unix:///run/tap/x.sock", "unix:///run/tap/x.sock"),
        ("tcp://[::1]:6000", "tcp://[::1]:6000"),
        ("tcp://10.0.0.9:6000", "tcp://10.0.0.9:6000"),
    ],
)
def test_dnstap_alone_writes_no_lines(accepted: Load, to: str, address: str) -> None:
    found = accepted(f'query_log: {{dnstap: {{to: "{to}"}}}}').query_log
    assert found
    assert found.dnstap
    assert (found.lines, found.dnstap.to, found.dnstap.identity) == (None, address, "ns1")
    both = accepted(f'query_log: {{to: stdout, dnstap: {{to: "{to}", identity: tap}}}}').query_log
    assert both
    assert both.lines
    assert both.dnstap
    assert both.dnstap.identity == "tap"


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ("networks: [wue]", "there is no network `wue`"),
        ("to: logs/", "`logs/` is a directory"),
        ("classes: []", "query_log.classes: "),
        ("classes: [deny]", "query_log.classes[0]: "),
        ("sample: 0", "must be greater than or equal to 1"),
        ("files: -1", "must be greater than or equal to 0"),
        ("size: 1KiB", "must be greater than or equal to 65536"),
        ("mask: {ipv4: 33}", "must be less than or equal to 32"),
        ("dnstap: {}", "to"),
        ("dnstap: {to: /run/x}", "`/run/x` is not unix:///PATH or tcp://ADDRESS:PORT"),
        ("dnstap: {to: 'tcp://host:1'}", "host"),
        ("dnstap: {to: 'unix:///run/', messages: []}", "is not unix:///PATH"),
    ],
)
def test_mistakes_are_refused(accepted: Load, section: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        accepted(f"query_log: {{{section}}}")
    assert message in str(caught.value)
