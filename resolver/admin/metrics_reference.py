"""The page docs/metrics.md, generated from the table of metrics.

`python -m resolver.admin.metrics_reference > docs/metrics.md` writes it; a test fails while the page is out of date.
"""

import sys
from collections.abc import Iterator
from typing import Final

from resolver.admin.metric_table import METRICS, PREFIX, Label, Metric

_HEAD: Final = """\
# Metrics

<!-- Written by `python -m resolver.admin.metrics_reference`; do not edit. -->

The admin interface serves these metrics at `/metrics` in the Prometheus text format, or in the OpenMetrics format if
the scraper accepts it. Counters are sums over all workers, and continue when a worker restarts. Label values come from
the configuration and the catalogue of zones, never from query names or client addresses. Beyond some 40,000 series of
one worker, further ones have the label value `other`.

`deploy/grafana/pldns.json` is a dashboard, and `deploy/prometheus/alerts.yaml` has alerts for Prometheus.

| metric | type | labels | meaning |
|---|---|---|---|
"""
_LABELS: Final = """
## Label values

| label | of | values |
|---|---|---|
"""


def page() -> str:
    """Return the page."""
    return _HEAD + "".join(map(_row, METRICS)) + _LABELS + "".join(_label_rows())


def _row(metric: Metric) -> str:
    labels = ", ".join(f"`{label.name}`" for label in metric.labels)
    return f"| `{PREFIX}{metric.name}` | {metric.kind} | {labels} | {metric.help} |\n"


def _label_rows() -> Iterator[str]:
    """Yield a row for each label, sorted by its name, with the metrics that have it."""
    owners: dict[Label, list[str]] = {}
    for metric in METRICS:
        for label in metric.labels:
            owners.setdefault(label, []).append(f"`{metric.name}`")
    for label in sorted(owners):
        values = ", ".join(f"`{value}`" for value in label.closed) or label.source
        yield f"| `{label.name}` | {', '.join(owners[label])} | {values} |\n"


if __name__ == "__main__":
    sys.stdout.write(page())
