"""Every sensor: notices to owners, the command line's backfills, files dropped by hand."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

import dagster as dg

from assets.backfills import build_backfill_sensor
from assets.deliveries import build_delivery_sensors
from assets.engagement import events_key, stream_landing_key
from assets.jobs import DAILY_JOB
from assets.notices import build_notice_sensors
from assets.partitions import RANGE_END, RANGE_START
from assets.sources import cube_key, landing_key, messages_key
from assets.starting import build_starting_sensors
from sms_etl.config.clock import now
from sms_etl.engagement.build import stream_name
from sms_etl.errors import SmsEtlError
from sms_etl.model.schemas import OUTBOX
from sms_etl.project import Project
from sms_etl.sources.base import PullContext, PullKind, PullPlan

FOLDER_INTERVAL_SECONDS = 60


def build_sensors(
    project: Project, partitions: dg.DailyPartitionsDefinition
) -> list[dg.SensorDefinition]:
    """Every sensor of the deployment."""
    status = (
        dg.DefaultSensorStatus.RUNNING
        if project.settings.project.run_schedules
        else dg.DefaultSensorStatus.STOPPED
    )
    folders = [
        _dropped_files_sensor(project, dropped, partitions, status) for dropped in _dropped(project)
    ]
    return [
        *build_notice_sensors(project, status),
        build_backfill_sensor(project, status),
        *folders,
        *build_delivery_sensors(project, status),
        *build_starting_sensors(),
    ]


@dataclass(frozen=True)
class _Dropped:
    """Files of a source: under which name they land, who plans their pulls, what follows."""

    name: str
    place: str
    plan: Callable[[Sequence[date], PullContext], Iterator[PullPlan]]
    assets: Sequence[dg.AssetKey]


def _dropped(project: Project) -> Iterator[_Dropped]:
    """Everything that is picked up from folders once; a list is read with every daily run."""
    for name in project.enabled:
        source = project.source(name)
        if source.kind is not PullKind.DROP_FOLDER:
            continue
        if source.lists_messages:
            keys = [landing_key(name), messages_key(name), cube_key(name)]
            yield _Dropped(name, name, source.plan, keys)
        for stream in project.streams(name):
            if not stream.whole_list:
                keys = [stream_landing_key(name, stream.kind), events_key(name, stream.kind)]
                yield _Dropped(name, stream_name(name, stream.kind), stream.plan, keys)


def _dropped_files_sensor(
    project: Project,
    files: _Dropped,
    partitions: dg.DailyPartitionsDefinition,
    status: dg.DefaultSensorStatus,
) -> dg.SensorDefinition:
    @dg.sensor(
        name=f"files_for_{files.name}",
        job_name=DAILY_JOB,
        minimum_interval_seconds=FOLDER_INTERVAL_SECONDS,
        default_status=status,
        description=f"Starts a run over the days that files dropped for {files.name} cover.",
    )
    def dropped(context: dg.SensorEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        try:
            landed = project.landing.checksums(files.place)
            zone = project.settings.project.zone
            plans = list(files.plan([], PullContext(zone, now(), OUTBOX.empty(), landed)))
        except SmsEtlError as error:
            return dg.SkipReason(str(error))
        last = partitions.get_last_partition_key()
        first_day = project.settings.project.first_day
        plans = [plan for plan in plans if plan.last_day >= first_day]
        if not plans or last is None:
            return dg.SkipReason("No new files.")
        start = max(min(plan.first_day for plan in plans), first_day)
        end = max(plan.last_day for plan in plans).isoformat()
        # A file that was written anew under its old name is another one.
        bodies = sorted(page.meta["file_sha256"] for plan in plans for page in plan.pages)
        proof = hashlib.sha256("\n".join(bodies).encode())
        return dg.RunRequest(
            run_key=f"{files.name} {proof.hexdigest()}",
            tags={RANGE_START: start.isoformat(), RANGE_END: min(end, last)},
            asset_selection=list(files.assets),
        )

    return dropped
