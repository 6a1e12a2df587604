"""A few threads that take jobs in order; the first failure stops the rest."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType


class Crew:
    """Runs jobs side by side. A job looks at `stopped` now and then and ends early if it is set."""

    def __init__(self, threads: int) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="slice")
        self._free = threading.Semaphore(threads)
        self._jobs: list[Future[None]] = []
        self.stopped = threading.Event()

    def __enter__(self) -> Crew:
        """The crew itself."""
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        """Wait until every thread has ended."""
        self.stop()

    def do(self, job: Callable[[], None]) -> None:
        """Begin a job, and return when a thread is free for the next.

        Raises:
            Exception: what the first job that failed raised, in the order they were given.
        """
        self._free.acquire()
        self._jobs.append(self._pool.submit(self._run, job))
        self._free.acquire()
        self._free.release()
        if self.stopped.is_set():
            self.finish()

    def finish(self) -> None:
        """Wait for every job.

        Raises:
            Exception: what the first job that failed raised, in the order they were given.
        """
        for job in self._jobs:
            job.result()

    def stop(self) -> None:
        """Let every job end early, and wait for that."""
        self.stopped.set()
        self._pool.shutdown(wait=True)

    def _run(self, job: Callable[[], None]) -> None:
        try:
            job()
        except BaseException:
            self.stopped.set()
            raise
        finally:
            self._free.release()
