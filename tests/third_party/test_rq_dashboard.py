"""A Flask application and the FastAPI application that took its place, neither of them ours, behind one address."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.behaviour.process import ROOT, GatewayProcess, eventually
from tests.behaviour.remote_apps import serving
from tests.third_party.installed import folder
from tests.third_party.rounds import Request, adopted, answer, importable, without

HOST = "queues.example"

JOBS = """
import os, redis, rq
queue = rq.Queue("mails", connection=redis.Redis.from_url(os.environ["RQ_REDIS"]))
for n in range(30):
    queue.enqueue("builtins.len", "x" * n, job_id=f"job-{n}")
"""

OLD: list[Request] = [
    *(("GET", f"/old{path}", {}) for path in (
        "/", "/0/view", "/0/view/queues", "/0/view/workers", "/0/view/jobs/mails/queued/8/asc/1",
        "/0/view/job/job-1", "/0/data/queues.json", "/0/data/workers.json",
        "/0/data/jobs/mails/queued/8/asc/1.json", "/0/data/job/job-1.json", "/0/data/job/none.json", "/x/view",
        "/static/css/main.css", "/nowhere",
    )),
    ("HEAD", "/old/0/view", {}),
    ("GET", "/old/queue/mails/compact", {}),
]  # fmt: skip

NEW: list[Request] = [
    *(("GET", f"/rq{path}", {}) for path in (
        "/", "/workers", "/workers/json", "/queues", "/queues/json", "/jobs", "/jobs/json",
        "/jobs/json?queue_name=mails&page=2", "/job/job-2", "/job/none", "/schedulers/json", "/export",
    )),
]  # fmt: skip

# Times of day, and cookies against forgery that are drawn anew.
SAME = without(
    r"\d{4}-\d\d-\d\d[T ][\d:.]+",
    r"[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} [\d:]{8} GMT",
    r"[A-Za-z0-9_-]{40,}",
    r"\d+ (?:second|minute)s? ago",
)


@pytest.fixture(scope="module")
def env() -> Iterator[dict[str, str]]:
    """With a Redis that has jobs in it."""
    server = shutil.which("redis-server")
    if server is None:
        pytest.skip("redis-server is not installed")
    place = folder()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [server, "--bind", "127.0.0.1", "--port", str(port), "--save", ""]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, cwd=place)
    try:
        variables = {**importable(place), "RQ_REDIS": f"redis://127.0.0.1:{port}"}
        eventually(lambda: _answers(port))
        subprocess.run([sys.executable, "-c", JOBS], env=variables, check=True, timeout=30, cwd=place)
        yield variables
    finally:
        process.terminate()
        process.wait(10)


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


@pytest.fixture(scope="module")
def urls(env: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str, str]]:
    """The gateway, and each app on its own."""
    place: Path = tmp_path_factory.mktemp("rq")
    routes = adopted(place, env, "tests.third_party.rq_apps:legacy()", "tests.third_party.rq_apps:new()")
    text = routes.read_text()
    assert "/rq/" in text, "what only the new app has is in the file, too"
    routes.write_text(text.replace("to: legacy", "to: new"))
    with pytest.MonkeyPatch.context() as patch:
        # What `serving` hands on is this process' own.
        patch.setenv("RQ_REDIS", env["RQ_REDIS"])
        patch.setenv("PYTHONPATH", env["PYTHONPATH"])
        yield from _served(routes, env)


def _served(routes: Path, env: dict[str, str]) -> Iterator[tuple[str, str, str]]:
    gunicorn = ("gunicorn", "tests.third_party.rq_apps:legacy()", "--bind", "fd://{fd}", "--threads", "4")
    uvicorn = ("uvicorn", "tests.third_party.rq_apps:new", "--factory", "--fd", "{fd}", "--log-level", "critical")
    with (
        serving(ROOT, *gunicorn) as (old, _),
        serving(ROOT, *uvicorn) as (new, _),
        GatewayProcess(routes, env=env) as running,
    ):
        yield running.url, f"http://127.0.0.1:{old}", f"http://127.0.0.1:{new}"


@pytest.mark.parametrize("request_", [*OLD, *NEW], ids=lambda each: f"{each[0]} {each[1]}")
def test_the_answer_is_the_same_through_the_gateway(urls: tuple[str, str, str], request_: Request) -> None:
    through, old, new = urls
    straight = new if request_[1].startswith("/rq") else old
    # Without the system's certificates, which httpx would read for each client.
    one, other = (httpx.Client(base_url=url, verify=False) for url in (through, straight))
    with one, other:
        assert answer(one, request_, HOST, SAME) == answer(other, request_, HOST, SAME)
