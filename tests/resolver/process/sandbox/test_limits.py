"""The limits of a worker, in a process whose log goes to a pipe as under systemd and container engines."""

import subprocess
import sys
from pathlib import Path

import trustme

from tests.live.daemon import PATIENCE
from tests.paths import ROOT

PROGRAM = """
import sys
from pathlib import Path
from resolver.process import certificate
from resolver.process.sandbox import limits
from resolver.settings import Tls

pair = Path(sys.argv[1]).read_bytes()
file = Path(sys.argv[2]).open("wb", buffering=0)
limits.no_new_process()
limits.no_large_file()
certificate.load(certificate.context(), Tls((), "pair.pem", "pair.pem"), pair, pair)
try:
    while True:
        file.write(bytes(65_536))
except OSError as error:
    print(error.strerror)
"""


def test_a_worker_can_load_certificates_and_write_no_large_file(tmp_path: Path) -> None:
    trustme.CA().issue_cert("localhost").private_key_and_cert_chain_pem.write_to_path(str(tmp_path / "pair.pem"))
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, tmp_path / "pair.pem", tmp_path / "file"],
        cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, "File too large\n"), done.stderr
    assert (tmp_path / "file").stat().st_size <= 1 << 20
