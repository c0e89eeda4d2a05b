from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import requests

from legacy_flask.third_party import RATES

from .conftest import Rates


@contextmanager
def standalone(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The module as its own process, and the URL it prints when it is ready."""
    command = [sys.executable, "-m", "legacy_flask.third_party", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process, process.stdout.readline().rpartition(" ")[2].strip()
        finally:
            process.kill()


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_serves_until_it_is_told_to_stop(how: signal.Signals) -> None:
    with standalone("--port", "0", "--delay", "0") as (process, url):
        assert requests.get(url, timeout=5).json() == RATES
        process.send_signal(how)
        assert process.wait(5) == 0
        assert process.stderr is not None
        assert process.stderr.read() == ""


def test_a_port_in_use(rates: Rates) -> None:
    with rates() as url, standalone("--port", url.rpartition(":")[2]) as (process, _):
        assert process.wait(5) == 1
        assert process.stderr is not None
        assert process.stderr.read() == f"Cannot listen on {url.removeprefix('http://')}: Address already in use\n"


def test_it_is_slow(rates: Rates) -> None:
    with rates(delay=0.1) as url:
        begin = time.monotonic()
        requests.get(f"{url}/rates?base=EUR", timeout=5)
        assert time.monotonic() - begin >= 0.1


def test_nothing_else_is_there(rates: Rates) -> None:
    with rates() as url:
        assert requests.get(f"{url}/rates2", timeout=5).status_code == 404
