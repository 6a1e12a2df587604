"""Runs on several machines: Dagster's Celery launcher, which here notices a dead machine.

Dagster's own launcher believes what Celery stored last, so a run whose machine died looks started
until its time is over, and holds the pool of its source all the while. A run that has not begun is
not asked about by Dagster at all: `assets/starting.py` does.
"""

from __future__ import annotations

from dagster import DagsterRun
from dagster._core.launcher import CheckRunHealthResult, WorkerStatus
from dagster_celery.launcher import CeleryRunLauncher
from dagster_celery.tags import DAGSTER_CELERY_QUEUE_TAG, DAGSTER_CELERY_TASK_ID_TAG
from kombu.exceptions import ChannelError

PING_SECONDS = 5.0
PINGS = 3
"""A worker is taken for dead when it answers none of these; a busy one answers at once."""


class CheckedCeleryRunLauncher(CeleryRunLauncher):
    """Starts runs as Celery tasks; a run whose worker does not answer has failed."""

    def check_run_worker_health(self, run: DagsterRun) -> CheckRunHealthResult:
        """As Celery says; where it says "started", the worker is asked, too."""
        found = super().check_run_worker_health(run)
        if found.status is not WorkerStatus.RUNNING:
            return found
        worker = self._worker_of(run)
        if worker is None or self._answers(worker):
            return found
        return CheckRunHealthResult(
            WorkerStatus.FAILED,
            f"The worker {worker} does not answer: it or its machine died in the middle of the run",
        )

    def never_begins(self, run: DagsterRun) -> str | None:
        """Why a run that was handed out and has not begun never will; None while it may.

        A task that waits in its queue is never called lost, however long it waits.
        """
        task = run.tags.get(DAGSTER_CELERY_TASK_ID_TAG)
        if task is None:
            return None
        found = super().check_run_worker_health(run)
        if found.status is WorkerStatus.RUNNING:
            worker = self._worker_of(run)
            if worker is None or self._answers(worker):
                return None
            return f"The worker {worker} took the run and does not answer: it or its machine died"
        if found.status is not WorkerStatus.UNKNOWN:
            return "Its Celery task ended before the run began"
        queue = run.tags.get(DAGSTER_CELERY_QUEUE_TAG, self.default_queue)
        if self._waiting(queue) or self._is_held(task):
            return None
        # Asked last: it may have been taken, and even done, while the others were asked.
        if super().check_run_worker_health(run).status is not WorkerStatus.UNKNOWN:
            return None
        return (
            f"Its task is neither in the queue {queue} nor at a worker that answers: the worker "
            f"that took it died, or the broker lost it"
        )

    def _worker_of(self, run: DagsterRun) -> str | None:
        started = self.celery.AsyncResult(run.tags[DAGSTER_CELERY_TASK_ID_TAG]).info
        return started.get("hostname") if isinstance(started, dict) else None

    def _answers(self, worker: str) -> bool:
        ping = self.celery.control.ping
        return any(ping(destination=[worker], timeout=PING_SECONDS) for _ in range(PINGS))

    def _waiting(self, queue: str) -> int:
        """How many tasks the broker holds that no worker took."""
        with self.celery.connection_for_read() as connection:
            try:
                return int(connection.default_channel.queue_declare(queue, passive=True)[1])
            except ChannelError:
                # Redis forgets a queue that is empty.
                return 0

    def _is_held(self, task: str) -> bool:
        """Whether any worker that answers has the task, waiting or under way."""
        inspect = self.celery.control.inspect(timeout=PING_SECONDS)
        return any(
            task in held for _ in range(PINGS) for held in (inspect.query_task(task) or {}).values()
        )
