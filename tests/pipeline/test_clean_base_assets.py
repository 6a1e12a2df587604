"""The assets of the clean base: a range in one run, with checks that name what to look at."""

from __future__ import annotations

import dagster as dg

from assets.build import build_defs
from assets.jobs import CLEAN_BASE_JOB
from assets.partitions import RANGE_END, RANGE_START
from sms_etl.model.clean_base import SUPPRESSIONS
from sms_etl.project import Project
from tests.pipeline.company import DAYS

QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
RANGE = {RANGE_START: str(DAYS[0]), RANGE_END: str(DAYS[-1])}
RULES = '\n[compliance]\npacks = ["ua", "eu"]\nquiet_from = 21:00:00\nquiet_to = 08:00:00\n'


def test_a_month_is_done_in_one_run_with_what_to_look_at(company, tmp_path) -> None:
    settings = company.folder / "with_rules.toml"
    settings.write_text(company.project.settings.path.read_text("utf-8") + RULES, "utf-8")
    project = Project.open(settings)
    with dg.DagsterInstance.ephemeral() as instance:
        result = (
            build_defs(project)
            .resolve_job_def(CLEAN_BASE_JOB)
            .execute_in_process(instance=instance, run_config=QUIET, tags=RANGE)
        )

    assert result.success
    checks = {one.check_name: one for one in result.get_asset_check_evaluations()}
    assert set(checks) == {"no_rule_is_broken", "nothing_is_suspected"}
    assert checks["no_rule_is_broken"].severity is dg.AssetCheckSeverity.WARN
    assert not project.lake.scan(SUPPRESSIONS).collect().is_empty()
