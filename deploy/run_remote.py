"""The bookshop as it stands in production, on one machine: each app on a server of its own, the gateway before them.

    python deploy/run_remote.py [arguments of `gateway run`]

Flask under gunicorn, FastAPI under uvicorn, and the slow third party. All of it ends with the gateway, by Ctrl-C.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parent.parent

LEGACY = os.environ.get("BOOKSHOP_LEGACY", "http://127.0.0.1:5001")
NEW = os.environ.get("BOOKSHOP_NEW", "http://127.0.0.1:5002")

# Seconds. Longer than the gateway keeps an idle connection, which is 1.5: so it is the one to close it.
KEEP_ALIVE = "5"


def place(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    assert parts.hostname is not None
    assert parts.port is not None
    return parts.hostname, parts.port


def servers() -> dict[str, list[str]]:
    legacy, new = place(LEGACY), place(NEW)
    return {
        LEGACY: ["gunicorn", "legacy_flask:create_app()", "--bind", f"{legacy[0]}:{legacy[1]}", "--threads", "16",
                 "--keep-alive", KEEP_ALIVE],
        NEW: ["uvicorn", "new_fastapi:app", "--host", new[0], "--port", str(new[1]), "--no-access-log",
              "--timeout-keep-alive", KEEP_ALIVE],
    }  # fmt: skip


def wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    """Until the server listens. Exits with its code if it ends instead."""
    while True:
        try:
            socket.create_connection(place(url), timeout=1).close()
        except OSError:
            code = process.poll()
            if code is not None:
                sys.exit(f"the server for {url} has ended with {code}")
            time.sleep(0.1)
        else:
            return


def main(arguments: list[str]) -> int:
    os.chdir(ROOT)
    # The terminal sends Ctrl-C to all of its foreground. Only the gateway is to have it: what it still has to finish
    # needs the apps. So they are in sessions of their own, and are told after it.
    signal.signal(signal.SIGINT, lambda *_: None)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    started: list[subprocess.Popen[bytes]] = []
    try:
        started.append(subprocess.Popen([sys.executable, "-m", "legacy_flask.third_party"], start_new_session=True))
        for url, command in servers().items():
            process = subprocess.Popen([sys.executable, "-m", *command], start_new_session=True)
            started.append(process)
            # One after the other: the first makes the database.
            wait_for(url, process)
        gateway = subprocess.Popen([sys.executable, "-m", "gateway", "run", "routes.remote.yaml", *arguments])
        try:
            return gateway.wait()
        finally:
            gateway.terminate()
            gateway.wait()
    finally:
        for process in started:
            process.terminate()
        for process in started:
            process.wait()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
