"""``scripts/demo``: ends well, shows the whole road, leaves nothing running."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from asyncmig.testing import wire
from asyncmig.testing.binary import find_mongod

ROOT = Path(__file__).resolve().parent.parent.parent
INSTALLED = shutil.which("asyncmig", path=str(Path(sys.executable).parent))


@pytest.mark.skipif(INSTALLED is None, reason="the demo calls the installed command: run scripts/test")
def test_the_demo(tmp_path: Path) -> None:
    environment = os.environ | {
        "ASYNCMIG_VENV": sys.prefix,
        "ASYNCMIG_MONGOD": str(find_mongod()),
        "ASYNCMIG_DRIVER": "no such driver",  # a setting of the developer's, which must not matter
        "TMPDIR": str(tmp_path),
    }
    done = subprocess.run(["bash", ROOT / "scripts" / "demo"], env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "asyncmig: starting a MongoDB server\n"), done.stdout[-2000:]
    headlines = re.findall(r"^\$ asyncmig (\w+)", done.stdout, re.MULTILINE)
    assert {"revision", "upgrade", "current", "downgrade"} <= set(headlines)
    assert "Total new indexes: 22 indexes" in done.stdout
    assert "Total new indexes: 1 index" in done.stdout
    assert "No revision is applied." in done.stdout
    (port,) = set(re.findall(r"127\.0\.0\.1:(\d+)/", done.stdout))
    with pytest.raises(OSError, match="refused"):
        wire.command(int(port), {"hello": 1})
    assert list(tmp_path.iterdir()) == []
