"""Load by wrk where it is installed, whose own cost is a few µs a request, and by load.drive where it is not.

Latencies are only as good as who takes them: one of 60 µs cannot be told by a generator that takes 30 µs itself.
Every answer is checked by a script inside wrk.
"""

from __future__ import annotations

import functools
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.load import Address, WrongAnswerError, drive, get
from benchmarks.report import percentile

_SCRIPT = """
local payloads = {{ {payloads} }}
local body = {body}
local threads, turn = {{}}, 0
wrong, first = 0, ""

function setup(thread) table.insert(threads, thread) end

function request()
    turn = turn % #payloads + 1
    return payloads[turn]
end

function response(status, headers, content)
    if status ~= 200 or content ~= body then
        if wrong == 0 then first = status .. " " .. string.sub(content, 1, 200) end
        wrong = wrong + 1
    end
end

function done(summary, latency)
    local failed = summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout
    io.write(string.format("\\nfigures %d %d %d %d %d %d %s\\n", summary.requests, summary.duration,
        latency:percentile(50), latency:percentile(99), threads[1]:get("wrong"), failed, threads[1]:get("first")))
end
"""


@dataclass(frozen=True, slots=True)
class Load:
    """What one run did: answers, and seconds."""

    answers: int
    seconds: float
    p50: float
    p99: float


@functools.cache
def program() -> str | None:
    return shutil.which("wrk")


def generator() -> str:
    """Who makes the load, for the head of a table."""
    return "wrk" if program() else "our own generator, whose time is in the latencies (wrk is not installed)"


def load(
    address: Address, paths: Sequence[str], cookies: Sequence[str], body: bytes, *, connections: int, seconds: int
) -> Load:
    """Ask for ``paths`` in turn, each with the next of the ``cookies``. Raises WrongAnswerError."""
    requests = [get(path, body, cookie=cookies[turn % len(cookies)]) for turn, path in enumerate(paths)]
    wrk = program()
    if wrk is None:
        tally = drive(address, requests, connections=connections, seconds=seconds)
        times = sorted(tally.latencies)
        return Load(tally.answers, tally.seconds, percentile(times, 50), percentile(times, 99))
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "load.lua"
        script.write_text(
            _SCRIPT.format(
                payloads=", ".join(lua_string(request.payload) for request in requests), body=lua_string(body)
            )
        )
        command = [wrk, "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "30s", "-s", str(script)]
        told = subprocess.run(
            [*command, f"http://{address[0]}:{address[1]}/"], capture_output=True, text=True, check=False
        )
    return read(told.stdout, told.stderr)


def read(output: str, errors: str) -> Load:
    line = next((line for line in output.splitlines() if line.startswith("figures ")), None)
    if line is None:
        raise WrongAnswerError(f"wrk did not say what it measured: {output[-500:]} {errors[-500:]}")
    _, answers, micros, p50, p99, wrong, failed, first = line.split(" ", 7)
    if int(wrong) or int(failed) or not int(answers):
        raise WrongAnswerError(f"{wrong} of {answers} answers were wrong, {failed} requests failed; first: {first!r}")
    return Load(int(answers), int(micros) / 1e6, int(p50) / 1e6, int(p99) / 1e6)


def lua_string(data: bytes) -> str:
    """A string literal of Lua."""
    return '"' + "".join(f"\\{byte:03d}" for byte in data) + '"'
