from sms_etl.model.lineage import lineage
from sms_etl.model.schemas import CUBE, MESSAGES, OUTBOX


def test_every_column_of_the_cube_comes_from_messages():
    assert set(lineage(CUBE, MESSAGES)) == set(CUBE.names)
    assert lineage(CUBE, MESSAGES)["hour"] == ("submitted_at",)
    assert lineage(CUBE, MESSAGES)["cost_micro"] == ("cost_micro",)


def test_messages_name_the_columns_of_the_outbox_that_exist():
    found = lineage(MESSAGES, OUTBOX)
    assert found["campaign"] == ("campaign",)
    assert found["parts"] == ("text",)
    assert {part for parts in found.values() for part in parts} <= set(OUTBOX.names)
    assert "status" not in found
