"""Group commit: one writer takes whatever queued while the last commit ran, commits once, answers, then pokes.

The answer and the poke leave only after COMMIT: what was acknowledged is durable.
"""

import asyncio
import logging
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from time import perf_counter
from typing import Any

from django.db import DataError, Error, IntegrityError, close_old_connections, connection

from cordee.live import tally
from cordee.live.connections import Busy, let_go

Transact = Callable[[Sequence[Any]], list[Any]]
LARGEST_BATCH = 256
WELL = 1.0  # seconds for which a connection that served is taken to be there
PATIENCE = 10.0  # seconds; less than the page waits for an answer (room.js)
OF_ONE_JOB = (DataError, IntegrityError, ValueError)  # what the database says of a row, and not of itself
log = logging.getLogger(__name__)


class Writer:
    """Jobs in, outcomes out. ``transact`` runs in one thread of its own, with one database connection."""

    def __init__(self, transact: Transact, committed: Callable[[Sequence[Any], Sequence[Any]], None], most: int = 5000):
        self.transact, self.committed, self.most = transact, committed, most
        self._queue: list[tuple[Any, Future[Any]]] = []
        self._lock = threading.Lock()
        self._running = False
        self._well_until = 0.0
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="writer")

    def put(self, job: Any) -> Future[Any]:
        """Queue a job from any thread; the future has its outcome once it is committed. Raises :class:`Busy`."""
        future: Future[Any] = Future()
        with self._lock:
            if len(self._queue) >= self.most:
                tally.limits.add("queue")
                raise Busy
            self._queue.append((job, future))
            idle, self._running = not self._running, True
        if idle:
            self._thread.submit(self._drain)
        return future

    async def submit(self, job: Any, timeout: float = PATIENCE) -> Any:
        """The job's outcome. Raises :class:`Busy` after ``timeout`` seconds: what had not begun is not written then."""
        try:
            async with asyncio.timeout(timeout):
                return await asyncio.wrap_future(self.put(job))
        except TimeoutError:
            raise Busy from None

    def submit_and_wait(self, job: Any, timeout: float = PATIENCE) -> Any:
        """The same, from a thread that is not the event loop's."""
        future = self.put(job)
        try:
            return future.result(timeout)
        except TimeoutError:
            future.cancel()
            raise Busy from None

    def waiting(self) -> int:
        """How many jobs no commit has taken yet."""
        return len(self._queue)

    def _drain(self) -> None:
        while True:
            with self._lock:
                batch, self._queue = self._queue[:LARGEST_BATCH], self._queue[LARGEST_BATCH:]
                if not batch:
                    self._running = False
                    return
            try:
                # Who gave up waiting before it began is not written for.
                self._commit([(job, future) for job, future in batch if future.set_running_or_notify_cancel()])
            except Exception as error:  # the writer itself must live on; the type alone, a message could hold words
                log.error("After a commit: %s", type(error).__name__)

    def _commit(self, batch: list[tuple[Any, Future[Any]]]) -> None:
        if not batch:
            return
        jobs = [job for job, _ in batch]
        close_old_connections()  # a database that came back is found again
        began = perf_counter()
        if began < self._well_until:  # it has just answered: it is not asked first whether it is there
            connection.health_check_done = True  # type: ignore[attr-defined]  # Django asks no more then
        try:
            outcomes = self.transact(jobs)
        except Exception as error:
            if isinstance(error, OF_ONE_JOB) and len(batch) > 1:
                for one in batch:  # which of them it was; its neighbours are written
                    self._commit([one])
                return
            tally.commit_failures.add(type(error).__name__)
            if isinstance(error, Error):
                let_go()
            for _, future in batch:
                future.set_exception(error)
            return
        ended = perf_counter()
        self._well_until = ended + WELL
        tally.commit_seconds.add(ended - began)
        tally.commit_jobs.add(len(jobs))
        for (_, future), outcome in zip(batch, outcomes, strict=True):
            if isinstance(outcome, Exception):
                future.set_exception(outcome)
            else:
                future.set_result(outcome)
        self.committed(jobs, outcomes)
