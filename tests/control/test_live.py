from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import Any, Literal, cast

import pytest

from gateway.config.loader import Loaded, load_text
from gateway.config.problem import Problem
from gateway.control.admin.views import config_view
from gateway.control.live import LiveConfig
from gateway.control.messages import Ready, Reloaded
from gateway.control.options import text_path
from gateway.control.process import State, WorkerProcess
from gateway.history.history import History

PROBLEM = Problem("routes.yaml", 6, 9, "unknown backend 'lagacy'; did you mean 'legacy'?")


def version(to: str) -> Loaded:
    return load_text(
        'version: 1\nbackends: {legacy: {app: "l:app"}, new: {app: "n:app"}}\ndefault: legacy\n'
        f"routes: [{{path: /books, to: {to}}}]\n"
    )


FIRST, SECOND = version("legacy"), version("new")


class Run:
    """Two workers, as far as the configuration is concerned: what they tell, and the texts that they put down."""

    def __init__(self, runtime: Path, history: History | None = None) -> None:
        self.live = LiveConfig(FIRST, runtime, history)
        self.runtime = runtime
        self.workers = [WorkerProcess(number, *cast(Any, (None, None, None, None))) for number in (1, 2)]

    async def ready(self, index: int, loaded: Loaded = FIRST) -> None:
        self.put(loaded)
        self.workers[index].state = State.READY
        await self.live.note(self.workers[index], Ready(digest=loaded.digest), self.workers)

    async def reloaded(
        self,
        index: int,
        outcome: Literal["applied", "unchanged", "rejected", "missing"],
        loaded: Loaded,
        problems: tuple[Problem, ...] = (),
        seconds: float = 0.012,
    ) -> None:
        if outcome == "applied":
            self.put(loaded)
        self.workers[index].rejected = problems
        self.workers[index].missing = outcome == "missing"
        message = Reloaded(outcome=outcome, digest=loaded.digest, problems=problems, seconds=seconds, at=1e9)
        await self.live.note(self.workers[index], message, self.workers)

    def put(self, loaded: Loaded) -> None:
        text_path(self.runtime, loaded.digest).write_text(loaded.text)


@pytest.fixture
async def run(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> Run:
    caplog.set_level(logging.INFO, "gateway.control")
    run = Run(tmp_path)
    await run.ready(0)
    await run.ready(1)
    return run


async def test_there_is_nothing_to_fall_back_on_before_a_worker_has_served(tmp_path: Path) -> None:
    run = Run(tmp_path)
    assert run.live.last_good == ""
    await run.ready(0)
    assert run.live.last_good == FIRST.digest


async def test_a_version_is_announced_once_when_the_last_worker_serves_it(
    run: Run, caplog: pytest.LogCaptureFixture
) -> None:
    await run.reloaded(0, "applied", SECOND, seconds=0.012)
    assert (run.live.version, run.live.loaded) == (2, SECOND)
    assert caplog.messages == []
    await run.reloaded(1, "applied", SECOND, seconds=0.034)
    assert caplog.messages == ["routes.yaml version 2 is live, in 34 ms: /books: legacy → new"]
    assert run.live.applied == 1
    assert [worker.version for worker in run.workers] == [2, 2]


async def test_a_version_is_never_shown_with_the_routes_of_another(run: Run) -> None:
    """Reading the text takes a while, and the admin page may be asked meanwhile."""
    seen = set()
    told = asyncio.create_task(run.reloaded(0, "applied", SECOND))
    while not told.done():
        seen.add((run.live.version, run.live.loaded.digest))
        await asyncio.sleep(0)
    seen.add((run.live.version, run.live.loaded.digest))
    assert seen == {(1, FIRST.digest), (2, SECOND.digest)}


async def test_going_back_is_another_version(run: Run) -> None:
    for loaded in (SECOND, FIRST):
        for index in (0, 1):
            await run.reloaded(index, "applied", loaded)
    assert (run.live.version, run.live.loaded, run.live.applied) == (3, FIRST, 2)


async def test_a_worker_that_slept_through_changes_is_waited_for_and_no_longer(
    run: Run, caplog: pytest.LogCaptureFixture
) -> None:
    for loaded in (SECOND, FIRST, SECOND):
        await run.reloaded(0, "applied", loaded)
    # While it slept, nothing was announced but the version that had its text.
    assert [message.split(" is live")[0] for message in caplog.messages] == ["routes.yaml version 3"]
    await run.reloaded(1, "applied", SECOND)
    assert [message.split(" is live")[0] for message in caplog.messages][1:] == ["routes.yaml version 4"]


async def test_a_worker_that_slept_through_changes_is_in_step_with_the_next(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would take a version that is new for one of those that it has missed, and nobody would see it."""
    for loaded in (SECOND, FIRST, SECOND, FIRST):
        await run.reloaded(0, "applied", loaded)
    await run.reloaded(1, "applied", FIRST)
    monkeypatch.setattr("gateway.control.live.SETTLED", 0.0)
    await run.reloaded(1, "applied", SECOND)
    assert (run.live.version, run.live.loaded) == (6, SECOND)
    assert [worker.version for worker in run.workers] == [5, 6]


async def test_only_the_text_that_serves_is_kept(run: Run) -> None:
    await run.reloaded(0, "applied", SECOND)
    assert [path.name for path in run.runtime.iterdir()] == [f"{SECOND.digest}.yaml"]
    assert run.live.last_good == SECOND.digest


async def test_a_refused_file_is_told_once_and_the_version_stays(run: Run, caplog: pytest.LogCaptureFixture) -> None:
    await run.reloaded(0, "rejected", FIRST, (PROBLEM,))
    await run.reloaded(1, "rejected", FIRST, (PROBLEM,))
    assert caplog.messages == [str(PROBLEM), "routes.yaml is refused; version 1 stays live"]
    assert (run.live.version, run.live.problems, run.live.rejected) == (1, (PROBLEM,), 1)


@pytest.mark.parametrize(("outcome", "loaded"), [("unchanged", FIRST), ("applied", SECOND)])
async def test_a_good_file_clears_the_refusal(
    run: Run, outcome: Literal["unchanged", "applied"], loaded: Loaded
) -> None:
    for index in (0, 1):
        await run.reloaded(index, "rejected", FIRST, (PROBLEM,))
    for index in (0, 1):
        await run.reloaded(index, outcome, loaded)
    assert run.live.problems == ()


async def test_a_file_that_is_missing_is_told_as_that_and_is_no_change(
    run: Run, caplog: pytest.LogCaptureFixture
) -> None:
    gone = Problem("routes.yaml", 0, 0, "no such file")
    read = run.live.last_reload
    for index in (0, 1):
        await run.reloaded(index, "missing", FIRST, (gone,))
    assert config_view(run.live).model_dump(include={"state", "version", "problems"}) == {
        "state": "missing",
        "version": 1,
        "problems": ["routes.yaml: no such file"],
    }
    assert (run.live.rejected, run.live.last_reload) == (0, read)
    assert caplog.messages == ["routes.yaml: no such file", "routes.yaml is missing; version 1 stays live"]
    await run.reloaded(0, "rejected", FIRST, (PROBLEM,))
    await run.reloaded(1, "rejected", FIRST, (PROBLEM,))
    assert config_view(run.live).state == "rejected"
    await run.reloaded(0, "unchanged", FIRST)
    await run.reloaded(1, "unchanged", FIRST)
    assert config_view(run.live).state == "live"


async def test_what_a_worker_refused_that_is_gone_does_not_count(run: Run) -> None:
    await run.reloaded(0, "rejected", FIRST, (PROBLEM,))
    run.workers[0].state = State.ENDED
    await run.reloaded(1, "unchanged", FIRST)
    assert run.live.problems == ()


async def test_a_replacement_on_the_live_version_is_no_new_version(run: Run) -> None:
    for index in (0, 1):
        await run.reloaded(index, "applied", SECOND)
    run.workers[0] = WorkerProcess(1, *cast(Any, (None, None, None, None)))
    await run.ready(0, SECOND)
    assert (run.live.version, run.workers[0].version) == (2, 2)


async def test_a_replacement_that_starts_on_a_newer_file_brings_a_new_version(run: Run) -> None:
    """With one worker, the file may change while nobody is there to see it."""
    run.workers[0] = WorkerProcess(1, *cast(Any, (None, None, None, None)))
    await run.ready(0, SECOND)
    assert (run.live.version, run.live.loaded) == (2, SECOND)


async def test_a_text_that_was_not_kept_is_an_error_in_the_log_and_no_more(
    run: Run, caplog: pytest.LogCaptureFixture
) -> None:
    message = Reloaded(outcome="applied", digest="0" * 12, seconds=0.01, at=1e9)
    await run.live.note(run.workers[0], message, run.workers)
    assert run.live.version == 2
    assert run.live.loaded == FIRST
    assert "version 2 serves, but cannot be shown" in caplog.text


def told(history: History) -> list[tuple[int, str, str]]:
    return [(entry.version, entry.origin, entry.changes) for entry in history.entries()]


async def test_every_version_is_in_the_history(run: Run) -> None:
    for loaded in (SECOND, FIRST):
        for index in (0, 1):
            await run.reloaded(index, "applied", loaded)
    history = run.live.history
    assert told(history) == [
        (1, "start", "the first version"),
        (2, "file", "/books: legacy → new"),
        (3, "file", "/books: new → legacy"),
    ]
    assert [history.text(version) for version in (1, 2, 3)] == [FIRST.text, SECOND.text, FIRST.text]


async def test_what_was_never_live_is_not(tmp_path: Path) -> None:
    """The file changes between the control process' reading and the first worker's."""
    run = Run(tmp_path)
    assert told(run.live.history) == []
    await run.ready(0, SECOND)
    assert told(run.live.history) == [(2, "start", "/books: legacy → new")]


async def test_the_text_that_was_live_last_keeps_its_number(tmp_path: Path) -> None:
    history = History(None)
    history.record(7, FIRST.digest, FIRST.text, at=1.0)
    run = Run(tmp_path, history)
    await run.ready(0)
    assert (run.live.version, len(history.entries())) == (7, 1)
    await run.reloaded(0, "applied", SECOND)
    assert [entry.version for entry in history.entries()] == [7, 8]


async def test_a_text_that_was_changed_between_two_runs_is_the_next_version(tmp_path: Path) -> None:
    history = History(None)
    history.record(7, SECOND.digest, SECOND.text, at=1.0)
    run = Run(tmp_path, history)
    assert run.live.version == 8
    await run.ready(0)
    await run.ready(1)
    assert told(history)[1:] == [(8, "start", "/books: new → legacy")]
    assert [worker.version for worker in run.workers] == [8, 8]


async def test_a_version_that_cannot_be_shown_has_its_number_all_the_same(run: Run) -> None:
    message = Reloaded(outcome="applied", digest="0" * 12, seconds=0.01, at=1e9)
    await run.live.note(run.workers[0], message, run.workers)
    assert told(run.live.history)[1:] == [(2, "file", "what changed is not known")]


async def test_the_history_is_on_disk_a_moment_later(tmp_path: Path) -> None:
    run = Run(tmp_path, History(tmp_path / "state"))
    await run.ready(0)
    async with asyncio.timeout(5):
        while not History(tmp_path / "state").entries():
            await asyncio.sleep(0.01)
