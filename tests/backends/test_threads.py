from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable

import pytest

from gateway.backends.overload import Overloaded
from gateway.backends.threads import RETRY_AFTER_MAX, ThreadPool
from tests.backends.asgi import until

Job = Callable[[], None]


class Holding:
    """Jobs that run until they are let go."""

    def __init__(self) -> None:
        self.started = threading.Semaphore(0)
        self.go = threading.Event()

    def __call__(self) -> None:
        self.started.release()
        self.go.wait(5)

    def wait_started(self, count: int) -> None:
        for _ in range(count):
            assert self.started.acquire(timeout=5)


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


async def ended(pool: ThreadPool) -> None:
    pool.close()
    assert await pool.join(5)


async def test_every_job_runs_once() -> None:
    pool = ThreadPool(4, 10_000, "test")
    done: list[int] = []
    finished = threading.Event()

    def job(number: int) -> Job:
        def run() -> None:
            done.append(number)
            if len(done) == 2000:
                finished.set()

        return run

    for number in range(2000):
        pool.submit(job(number))
        if number % 100 == 0:
            await asyncio.sleep(0)
    assert await asyncio.to_thread(finished.wait, 5)
    assert sorted(done) == list(range(2000))
    await ended(pool)


async def test_a_job_submitted_while_a_thread_falls_asleep_is_not_forgotten() -> None:
    # Each submission meets the only thread in another moment of its way from one job to sleep.
    pool = ThreadPool(1, 10, "test")
    for round_ in range(500):
        done = threading.Event()
        pool.submit(done.set)
        assert done.wait(5), round_
        for _ in range(round_ % 50):
            pass
    await ended(pool)


class Interrupted(deque[Job]):
    """A queue whose next reader is interrupted where it has found nothing and has not said so yet."""

    def __init__(self) -> None:
        super().__init__()
        self.meanwhile: Job | None = None

    def popleft(self) -> Job:
        try:
            return super().popleft()
        except IndexError:
            meanwhile, self.meanwhile = self.meanwhile, None
            if meanwhile is not None:
                meanwhile()
            raise


async def test_jobs_submitted_while_a_thread_finds_nothing_all_get_a_thread() -> None:
    pool = ThreadPool(2, 10, "test")
    pool._waiting = waiting = Interrupted()
    first, jobs = Holding(), Holding()
    for _ in range(2):
        pool.submit(first)
    first.wait_started(2)
    first.go.set()
    await until(lambda: "2 idle" in repr(pool))

    def submit_two() -> None:
        pool.submit(jobs)
        pool.submit(jobs)

    waiting.meanwhile = submit_two
    pool._rouse()  # for a job that another thread was quicker to take
    # Sooner than the first of them gives up.
    assert all(jobs.started.acquire(timeout=1) for _ in range(2))
    jobs.go.set()
    await ended(pool)


async def test_one_thread_serves_one_job_after_another() -> None:
    pool = ThreadPool(8, 10, "test")
    for _ in range(20):
        done = threading.Event()
        pool.submit(done.set)
        assert done.wait(5)
        await until(lambda: "1 idle" in repr(pool))
    assert repr(pool).startswith("<ThreadPool test: 1 of 8 threads")
    await ended(pool)


async def test_jobs_that_wait_run_in_as_many_threads_as_there_are() -> None:
    pool = ThreadPool(6, 10, "test")
    jobs = Holding()
    for _ in range(6):
        pool.submit(jobs)
    jobs.wait_started(6)  # none of them has ended
    jobs.go.set()
    await ended(pool)


async def test_threads_that_slept_all_wake_when_jobs_wait() -> None:
    pool = ThreadPool(6, 10, "test")
    for _ in range(2):
        jobs = Holding()
        for _ in range(6):
            pool.submit(jobs)
        jobs.wait_started(6)
        jobs.go.set()
        await until(lambda: "6 idle" in repr(pool))
    await ended(pool)


async def test_says_whether_a_job_has_to_wait_for_a_thread() -> None:
    pool = ThreadPool(2, 5, "test")
    jobs = Holding()
    assert pool.submit(jobs) is False
    jobs.wait_started(1)
    assert pool.submit(jobs) is False
    jobs.wait_started(1)
    assert pool.submit(jobs) is True
    jobs.go.set()
    await ended(pool)


async def test_a_full_queue_refuses() -> None:
    pool = ThreadPool(1, 3, "test")
    jobs = Holding()
    pool.submit(jobs)
    jobs.wait_started(1)
    for _ in range(3):
        pool.submit(jobs)
    with pytest.raises(Overloaded) as refused:
        pool.submit(jobs)
    assert refused.value.retry_after == 1
    assert repr(pool) == "<ThreadPool test: 1 of 1 threads, 0 idle, 3 of 3 waiting>"
    jobs.go.set()
    jobs.wait_started(3)
    await ended(pool)


async def test_a_queue_of_none_takes_what_the_threads_can_do_at_once() -> None:
    pool = ThreadPool(2, 0, "test")
    jobs = Holding()
    pool.submit(jobs)
    pool.submit(jobs)
    jobs.wait_started(2)
    with pytest.raises(Overloaded):
        pool.submit(jobs)
    jobs.go.set()
    await ended(pool)


async def test_retry_after_follows_how_long_jobs_take(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    monkeypatch.setattr("gateway.backends.threads.time", clock)
    pool = ThreadPool(2, 40, "test")
    assert pool.retry_after() == 1  # nothing is known yet

    def job() -> None:
        clock.now += 3.0

    pool.submit(job)
    while pool.retry_after() == 1:
        await asyncio.sleep(0.001)
    assert pool.retry_after() == 2  # one job on two threads

    jobs = Holding()
    for _ in range(42):
        pool.submit(jobs)
    jobs.wait_started(2)
    with pytest.raises(Overloaded) as refused:
        pool.submit(jobs)
    assert refused.value.retry_after == RETRY_AFTER_MAX  # 41 jobs of 3 s on two threads: 61.5 s
    for _ in range(21):
        pool.withdraw(jobs)
    assert pool.retry_after() == 30  # 20 jobs of 3 s on two threads
    jobs.go.set()
    await ended(pool)


async def test_a_withdrawn_job_does_not_run_and_makes_room() -> None:
    pool = ThreadPool(1, 1, "test")
    jobs = Holding()
    pool.submit(jobs)
    jobs.wait_started(1)
    ran = []

    def waiting() -> None:
        ran.append(True)

    pool.submit(waiting)
    assert pool.withdraw(waiting) is True
    assert pool.withdraw(waiting) is False
    pool.submit(jobs)
    jobs.go.set()
    jobs.wait_started(1)
    await ended(pool)
    assert ran == []


async def test_a_job_that_runs_cannot_be_withdrawn() -> None:
    pool = ThreadPool(1, 1, "test")
    jobs = Holding()
    pool.submit(jobs)
    jobs.wait_started(1)
    assert pool.withdraw(jobs) is False
    jobs.go.set()
    await ended(pool)


async def test_a_job_that_raises_is_logged_and_its_thread_lives_on(caplog: pytest.LogCaptureFixture) -> None:
    pool = ThreadPool(1, 10, "test")

    def bad() -> None:
        raise SystemExit(3)

    done = threading.Event()
    pool.submit(bad)
    pool.submit(done.set)
    assert done.wait(5)
    assert "a job of test raised" in caplog.text
    await ended(pool)


async def test_closing_returns_what_had_not_begun_and_ends_all_threads() -> None:
    pool = ThreadPool(2, 10, "closing")
    jobs = Holding()
    pool.submit(jobs)
    pool.submit(jobs)
    jobs.wait_started(2)
    waiting = Holding()
    pool.submit(waiting)
    assert pool.close() == [waiting]
    with pytest.raises(Overloaded):
        pool.submit(waiting)
    assert await pool.join(0.01) is False
    jobs.go.set()
    assert await pool.join(5) is True
    assert not any(thread.name.startswith("closing-") for thread in threading.enumerate())


async def test_a_pool_without_a_job_has_no_threads() -> None:
    pool = ThreadPool(4, 10, "lazy")
    assert not any(thread.name.startswith("lazy-") for thread in threading.enumerate())
    await ended(pool)


async def test_a_system_without_threads_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    pool = ThreadPool(2, 10, "none")
    jobs = Holding()

    def start(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", start)
        with pytest.raises(Overloaded):
            pool.submit(jobs)
    pool.submit(jobs)
    jobs.wait_started(1)
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", start)
        pool.submit(jobs)  # waits for the thread there is
    jobs.go.set()
    jobs.wait_started(1)
    await ended(pool)


@pytest.mark.parametrize(("threads", "queue"), [(0, 1), (1, -1)])
def test_sizes_that_make_no_sense(threads: int, queue: int) -> None:
    with pytest.raises(ValueError, match="at least one thread"):
        ThreadPool(threads, queue, "test")
