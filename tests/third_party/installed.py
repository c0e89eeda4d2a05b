"""Applications that we did not write, installed by name beside the checkout: once, under build/third-party."""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

import pytest

from tests.behaviour.process import ROOT

# Without what they depend on, as far as this environment has it: they run with the Flask and FastAPI that we run with.
# Exact, so that a new release is tried when somebody looks, and not in the middle of another change.
PACKAGES = (
    *("httpbin==0.10.4", "brotlicffi==1.2.1.0", "cffi==2.1.1", "pycparser==3.0", "decorator==5.3.1", "six==1.17.0"),
    *("rq-dashboard==0.9.0", "rq-dashboard-fast==0.9.2", "rq==2.12.0", "redis-sentinel-url==1.0.1", "arrow==1.4.0"),
    *("python-dateutil==2.9.0.post0", "tzdata==2025.3", "pygments==2.19.2", "croniter==6.0.0"),
)
FLASK_SOURCE = "flask==3.1.3"
_PATIENCE = 120


def folder() -> Path:
    """Where they are importable from. Skips the test, by name, where they cannot be installed."""
    wanted = "\n".join((*PACKAGES, FLASK_SOURCE, sys.version))
    place = ROOT / "build" / "third-party" / hashlib.sha256(wanted.encode()).hexdigest()[:12]
    place.parent.mkdir(parents=True, exist_ok=True)
    # Several test processes may come here at once.
    with open(place.parent / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not place.is_dir():
            part = Path(tempfile.mkdtemp(dir=place.parent))
            try:
                _install(part)
                part.rename(place)
            except (subprocess.SubprocessError, OSError) as error:
                pytest.skip(f"{place.name}: the applications cannot be installed: {_last_line(error)}")
            finally:
                shutil.rmtree(part, ignore_errors=True)
    return place


def tutorial() -> Path:
    """The folder of Flask's tutorial, as its source distribution has it."""
    return folder() / "tutorial"


def _install(place: Path) -> None:
    _pip("install", "--target", str(place), "--no-deps", *PACKAGES)
    # Some bring their tests along, under the name that ours have.
    shutil.rmtree(place / "tests", ignore_errors=True)
    with tempfile.TemporaryDirectory() as scratch:
        _pip("download", "--dest", scratch, "--no-deps", "--no-binary", "flask", FLASK_SOURCE)
        (source,) = Path(scratch).glob("*.tar.gz")
        with tarfile.open(source) as archive:
            archive.extractall(scratch, filter="data")
        (found,) = Path(scratch).glob("*/examples/tutorial")
        shutil.copytree(found, place / "tutorial")


def _pip(*arguments: str) -> None:
    command = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", *arguments]
    subprocess.run(command, check=True, capture_output=True, text=True, timeout=_PATIENCE)


def _last_line(error: Exception) -> str:
    text = error.stderr if isinstance(error, subprocess.CalledProcessError) else str(error)
    return (str(text).strip().splitlines() or [""])[-1]
