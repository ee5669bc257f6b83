"""Coverage-guided runs of the targets: `python -m tests.fuzz TARGET SECONDS`, or `make fuzz` for all of them.

libFuzzer begins with the seeds here and collects new inputs in build/fuzz/TARGET. Inputs that fail are written to
tests/fuzz/found/TARGET-…, and the ordinary tests replay them. Fix the bug, and commit the file.
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
    """Run one target. Ends the process, with a status other than 0 if an input failed."""
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
