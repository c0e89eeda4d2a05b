"""A thread pool for requests: a bounded queue, a cheap hand-over, and jobs that can still be taken back.

``concurrent.futures`` has an unbounded queue, a future with a condition variable for every job, and wakes one more
thread for every job. Under the GIL most of those threads only wake to queue up for it. Here at most one thread is on
its way at a time: it wakes the next one when it has begun and finds more to do. So while jobs only compute, one or
two threads do them all without sleeping in between; when jobs wait (for a database, say), as many threads run as
there are jobs.
"""

from __future__ import annotations

import asyncio
import logging
import math
import threading
import time
from collections import deque
from collections.abc import Callable

from gateway.backends.overload import Overloaded

Job = Callable[[], None]

logger = logging.getLogger(__name__)

RETRY_AFTER_MAX = 60
"""Seconds: nobody is asked to stay away for longer, however long the queue looks."""

_DURATION_MAX = 30.0
"""Seconds: a job that took longer (an event stream) counts as this, so that it does not distort the estimate."""


class ThreadPool:
    """At most ``threads`` daemon threads, started as they are needed, and at most ``queue`` jobs waiting for one.

    Jobs are submitted from one thread (that of the event loop). There are no locks on that way: the operations used
    on lists and deques are atomic, and each side first publishes what it did and then looks at what the other did.
    """

    def __init__(self, threads: int, queue: int, name: str) -> None:
        if threads < 1 or queue < 0:
            raise ValueError("a thread pool needs at least one thread and a queue of 0 or more")
        self._size = threads
        self._queue = queue
        self._name = name
        self._waiting: deque[Job] = deque()
        self._idle: list[threading.Lock] = []  # what each sleeping thread sleeps on; the last one to sleep wakes first
        self._threads: list[threading.Thread] = []
        self._starting = threading.Lock()
        self._rousing = False  # a thread has been woken and has not looked at the queue yet
        self._closing = False
        self._duration = 0.0  # seconds a job takes, smoothed

    def __repr__(self) -> str:
        return (
            f"<ThreadPool {self._name}: {len(self._threads)} of {self._size} threads, {len(self._idle)} idle, "
            f"{len(self._waiting)} of {self._queue} waiting>"
        )

    def submit(self, job: Job) -> bool:
        """Have ``job`` called in a thread; it must not raise. True if it has to wait for a thread to come free.

        Raises Overloaded when the queue is full, or the pool closed.
        """
        waiting = self._waiting
        free = len(self._idle) + self._size - len(self._threads) + self._rousing
        ahead = len(waiting) - free
        if ahead >= self._queue or self._closing:
            raise Overloaded(self.retry_after())
        waiting.append(job)
        if not self._rousing:
            try:
                self._rouse()
            except RuntimeError:  # the system gives no more threads, and there is none yet
                self.withdraw(job)
                raise Overloaded(self.retry_after()) from None
        return ahead >= 0

    def withdraw(self, job: Job) -> bool:
        """Take a job out of the queue. False if it has begun (or has ended): it will not be stopped."""
        try:
            self._waiting.remove(job)
        except ValueError:
            return False
        return True

    def retry_after(self) -> int:
        """Whole seconds until what waits now will have been taken up, judged by how long jobs took so far."""
        seconds = (len(self._waiting) + 1) * self._duration / self._size
        return min(RETRY_AFTER_MAX, max(1, math.ceil(seconds)))

    def close(self) -> list[Job]:
        """Take no more jobs and let every thread end with the job it has. Returns those that had not begun."""
        self._closing = True
        refused = []
        while self._waiting:
            try:
                refused.append(self._waiting.popleft())
            except IndexError:  # a thread was quicker
                break
        while self._idle:
            try:
                self._idle.pop().release()
            except IndexError:
                break
        return refused

    async def join(self, timeout: float) -> bool:
        """Wait, at most ``timeout`` seconds, for the threads of a closed pool. True if all of them have ended."""
        return await asyncio.to_thread(self._join, time.monotonic() + timeout)

    def _join(self, deadline: float) -> bool:
        with self._starting:
            threads = list(self._threads)
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        return not any(thread.is_alive() for thread in threads)

    def _rouse(self) -> None:
        try:
            sleeper = self._idle.pop()
        except IndexError:
            if len(self._threads) < self._size:
                self._start()
            return
        self._rousing = True
        sleeper.release()

    def _start(self) -> None:
        with self._starting:
            count = len(self._threads)
            if count >= self._size or self._closing:
                return
            thread = threading.Thread(target=self._work, name=f"{self._name}-{count + 1}", daemon=True)
            self._rousing = True
            try:
                thread.start()
            except RuntimeError:
                self._rousing = False
                if count == 0:
                    raise
                logger.warning("%s: no thread beyond %d can be started", self._name, count)
            else:
                self._threads.append(thread)

    def _work(self) -> None:
        waiting, idle = self._waiting, self._idle
        mine = threading.Lock()
        mine.acquire()
        roused = True
        while True:
            try:
                job = waiting.popleft()
            except IndexError:
                if roused:
                    roused = self._rousing = False
                if self._closing:
                    return
                idle.append(mine)
                # A job submitted, or the pool closed, before this thread was in the list: nobody woke it.
                if waiting or self._closing:
                    try:
                        idle.remove(mine)
                    except ValueError:
                        pass  # someone has taken it out just now: the release is on its way
                    else:
                        # There may be more than one, submitted while this thread was thought to be on its way.
                        roused = True
                        continue
                mine.acquire()
                roused = True
                continue
            if roused:
                roused = self._rousing = False
                if waiting:
                    self._rouse()
            started = time.monotonic()
            try:
                job()
            except BaseException:
                logger.exception("a job of %s raised", self._name)
            del job  # an idle thread keeps no request alive
            taken = min(time.monotonic() - started, _DURATION_MAX)
            # Not atomic among threads; a lost sample does no harm to a smoothed estimate.
            self._duration += (taken - self._duration) / 16 if self._duration else taken
