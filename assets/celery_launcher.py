"""Runs on several machines: Dagster's Celery launcher, which here notices a dead machine.

Dagster's own launcher believes what Celery stored last, so a run whose machine died looks started
until its time is over, and holds the pool of its source all the while.
"""

from __future__ import annotations

from dagster import DagsterRun
from dagster._core.launcher import CheckRunHealthResult, WorkerStatus
from dagster_celery.launcher import CeleryRunLauncher
from dagster_celery.tags import DAGSTER_CELERY_TASK_ID_TAG

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
        started = self.celery.AsyncResult(run.tags[DAGSTER_CELERY_TASK_ID_TAG]).info
        worker = started.get("hostname") if isinstance(started, dict) else None
        if worker is None or self._answers(worker):
            return found
        return CheckRunHealthResult(
            WorkerStatus.FAILED,
            f"The worker {worker} does not answer: it or its machine died in the middle of the run",
        )

    def _answers(self, worker: str) -> bool:
        ping = self.celery.control.ping
        return any(ping(destination=[worker], timeout=PING_SECONDS) for _ in range(PINGS))
