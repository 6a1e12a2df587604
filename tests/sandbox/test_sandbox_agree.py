"""`sms-etl sandbox agree`: one day through every source, and what it says when one is wrong."""

from datetime import timedelta

import pytest

from sms_etl.sandbox import WorldParameters, build_world, running_sandbox
from sms_etl.sandbox.agree import agreements
from sms_etl.sandbox.case import case_of, kinds

WORLD = WorldParameters(messages=3_000, days=9)
DAY = WORLD.first_day + timedelta(days=4)


@pytest.fixture(scope="module")
def sandbox():
    with running_sandbox(build_world(WORLD)) as served:
        yield served


@pytest.fixture(params=kinds())
def kind(request):
    return request.param


def test_a_source_tells_the_truth_of_the_day(sandbox, kind, tmp_path):
    (found,) = agreements(sandbox, [kind], [DAY], tmp_path)
    assert found.ok, found
    assert found.messages > 50


def test_a_source_that_misreads_is_named_with_what_is_wrong(sandbox, tmp_path):
    api = sandbox.api("twilio")
    sent = api.messages.filter(api.messages["submitted_at"].dt.date() == DAY)["message_id"]
    try:
        sandbox.set_faults(status_words={sent[0]: "failed", sent[1]: "Teleported"})
        (found,) = agreements(sandbox, ["twilio"], [DAY], tmp_path)
    finally:
        sandbox.set_faults(status_words={})
    assert not found.ok
    assert found.wrong == 2


def test_what_a_source_cannot_tell_is_said(sandbox, tmp_path):
    (found,) = agreements(sandbox, ["esputnik"], [DAY], tmp_path)
    assert set(case_of("esputnik").reads_as) == {"invalid_number", "cancelled"}
    assert found.blurred > 0
    assert "cost_micro" in found.silent
