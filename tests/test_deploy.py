"""What `deploy/` ships is what Dagster and Celery take, and its parts agree with each other."""

import re
import runpy
import tomllib
from pathlib import Path

import pytest
import yaml
from dagster._core.instance.config import dagster_instance_config

ROOT = Path(__file__).parents[1]
DEPLOY = ROOT / "deploy"
INSTANCES = ["dagster.yaml", "dagster-postgres.yaml", "many-machines/dagster.yaml"]
VALUES = yaml.safe_load((DEPLOY / "kubernetes" / "values.yaml").read_text("utf-8"))


def instance(name):
    path = DEPLOY / name
    config, _ = dagster_instance_config(str(path.parent), path.name)
    return config


@pytest.mark.parametrize("name", INSTANCES)
def test_an_instance_keeps_rate_limits_and_starts_only_crashed_runs_again(name, monkeypatch):
    monkeypatch.setenv("SMS_ETL_DAGSTER_DATABASE", "postgresql+psycopg2://nobody@127.0.0.1/none")
    monkeypatch.setenv("SMS_ETL_BROKER", "redis://127.0.0.1/0")
    config = instance(name)
    assert config["concurrency"]["pools"] == {"default_limit": 1, "granularity": "op"}
    assert config["run_retries"]["retry_on_asset_or_op_failure"] is False
    assert config["run_monitoring"]["enabled"] is True
    assert config["telemetry"] == {"enabled": False}


def test_redis_hands_out_no_run_that_may_still_be_going_on(monkeypatch):
    monkeypatch.setenv("SMS_ETL_BROKER", "redis://127.0.0.1/0")
    worker = runpy.run_path(str(DEPLOY / "many-machines" / "dagster_celery_config.py"))
    longest = instance("many-machines/dagster.yaml")["run_monitoring"]["max_runtime_seconds"]
    assert worker["broker_transport_options"]["visibility_timeout"] > longest
    assert worker["task_acks_late"]


def test_pods_know_the_rules_of_the_other_deployments(tmp_path):
    config = VALUES["additionalInstanceConfig"]
    other = instance("dagster.yaml")
    assert config["concurrency"]["pools"] == other["concurrency"]["pools"]
    # The chart writes limits of its coordinator, too, and Dagster takes them in one place only.
    assert VALUES["dagsterDaemon"]["runCoordinator"]["enabled"] is False
    (tmp_path / "dagster.yaml").write_text(yaml.safe_dump(config), "utf-8")
    taken, _ = dagster_instance_config(str(tmp_path))
    assert taken["run_retries"]["retry_on_asset_or_op_failure"] is False
    assert VALUES["dagsterDaemon"]["runRetries"]["enabled"] is False, "it would be said twice"


UNITS = sorted(DEPLOY.glob("*/systemd/*.service")) + sorted(DEPLOY.glob("systemd/*.service"))


def command_of(unit):
    (command,) = [
        line.removeprefix("ExecStart=").split()
        for line in unit.read_text("utf-8").splitlines()
        if line.startswith("ExecStart=")
    ]
    return command


def test_every_service_runs_a_program_of_the_installation():
    scripts = {"dagster", "dagster-daemon", "dagster-webserver", "celery", "sms-etl"}
    assert len(UNITS) >= 6
    for unit in UNITS:
        folder, _, program = command_of(unit)[0].rpartition("/")
        assert folder == "/opt/sms-etl/.venv/bin"
        assert program in scripts


def test_nginx_passes_on_to_ports_that_services_listen_on():
    listening = {
        command[at + 1]
        for command in map(command_of, UNITS)
        for at, word in enumerate(command)
        if word in {"-p", "--port"}
    }
    sites = [path.read_text("utf-8") for path in sorted((DEPLOY / "nginx").glob("*.conf"))]
    passed_on = re.findall(r"proxy_pass http://127\.0\.0\.1:(\d+);", "\n".join(sites))
    assert sorted(passed_on) == ["3000", "3001", "8025"]
    assert set(passed_on) <= listening


def test_no_link_to_unsubscribe_is_written_into_a_log():
    site = (DEPLOY / "nginx" / "unsubscribe.conf").read_text("utf-8")
    assert "access_log off;" in site
    # At "error" nginx writes the request line of whatever it refuses.
    assert re.findall(r"error_log \S+ (\w+);", site) == ["crit"]
    assert "auth_basic" not in site


def test_images_get_every_extra_that_a_deployment_uses():
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"][
        "optional-dependencies"
    ]
    locked = (ROOT / "requirements-many-machines.txt").read_text("utf-8")
    for extra in ("s3", "celery", "kubernetes"):
        for wanted in extras[extra]:
            assert f"\n{wanted.partition('>=')[0]}==" in locked, wanted
