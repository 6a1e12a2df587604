"""What a person does about mails whose end nobody could know."""

from __future__ import annotations

from datetime import timedelta

import pytest
from typer.testing import CliRunner

from sms_etl.errors import ConfigError
from sms_etl.mail import cli
from sms_etl.project import Project
from tests.mail.world import NOW, OLENA, PETRO, World, counts, scripted_server


@pytest.fixture
def world(tmp_path, monkeypatch):
    with scripted_server(tmp_path / "mail", data="store and drop") as (server, _):
        world = World(tmp_path, server.port)
        settings = world.settings
        here = settings.project.model_copy(update={"data_dir": tmp_path})
        project = Project(
            settings.model_copy(
                update={"project": here, "subscriptions": (world.subscription(OLENA, PETRO),)}
            )
        )
        monkeypatch.setattr(Project, "open", lambda: project)
        monkeypatch.setattr(cli, "now", lambda: NOW + timedelta(hours=1))
        world.deliver(OLENA, PETRO)
        yield world


def run(*arguments: str) -> str:
    result = CliRunner().invoke(cli.app, arguments, catch_exceptions=False, env={"COLUMNS": "200"})
    assert result.exit_code == 0
    return result.output


def test_list_names_what_needs_a_person(world):
    everything, trouble = run("list"), run("list", "--trouble")
    assert OLENA in everything
    assert PETRO in everything
    assert OLENA in trouble
    assert PETRO not in trouble


@pytest.mark.parametrize(("answer", "mails"), [("--arrived", 1), ("--lost", 2)])
def test_settled_as_a_person_found_it(world, tmp_path, answer, mails):
    edition = world.edition().id
    run("settle", edition, OLENA, answer)
    assert world.deliver(OLENA, PETRO).complete
    assert counts(tmp_path / "mail")[OLENA] == mails
    with pytest.raises(ConfigError, match="is sent; only one that is unknown can be settled"):
        run("settle", edition, OLENA, answer)


def test_resend_goes_to_one_reader_of_the_subscription(world, tmp_path):
    assert f"{PETRO}: sent" in run("resend", world.edition().id, PETRO)
    assert counts(tmp_path / "mail")[PETRO] == 2
    with pytest.raises(ConfigError, match="is not a reader of 'monthly'"):
        run("resend", world.edition().id, "x@example.com")
