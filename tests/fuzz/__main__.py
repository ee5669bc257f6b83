"""Coverage-guided runs of the targets: `python -m tests.fuzz TARGET SECONDS`, or `make fuzz` for all of them.

What libFuzzer finds grows in build/fuzz/TARGET from the seeds that are kept here. Octets that break a promise are
written to tests/fuzz/found/TARGET-…, from where the ordinary tests replay them: mend, and keep the file.
"""

import sys
from pathlib import Path

try:
    import atheris
except ImportError:
    sys.exit("atheris is not installed: it exists for Linux on x86-64 (make venv)")

with atheris.instrument_imports(include=["resolver", "zones"]):
    from tests.fuzz.targets import TARGETS

HERE = Path(__file__).parent
accepted = [0, 0]


def main() -> None:
    """Run one target; ends the process, with another status than 0 where a promise was broken."""
    name, seconds = sys.argv[1:]
    target = TARGETS[name]
    corpus = Path("build/fuzz") / name
    found = HERE / "found"
    seeds = HERE / "seeds" / name
    for folder in (corpus, found, seeds):
        folder.mkdir(parents=True, exist_ok=True)

    def once(octets: bytes) -> None:
        accepted[target(octets)] += 1

    atheris.Setup(
        [
            name, str(corpus), str(seeds), f"-max_total_time={seconds}", f"-artifact_prefix={found}/{name}-",
            "-print_final_stats=1", "-timeout=20", "-rss_limit_mb=4096", "-verbosity=0",
        ],
        once,
    )  # fmt: skip
    atheris.Fuzz()


if __name__ == "__main__":
    main()
