"""Events that a later pull brings again of somebody who was erased are nobody's."""

import polars as pl

from sms_etl.engagement.person import without_erased


def test_by_number_and_by_the_users_own_identifier_and_nobody_else():
    rows = pl.DataFrame(
        {
            "recipient": ["erased", None, "other", None],
            "contact": [None, "erased-contact", "c", None],
            "key_id": ["k"] * 4,
        }
    )
    kept = without_erased(rows, {"erased", "erased-contact"})
    assert kept.rows() == [
        (None, None, None), (None, None, None), ("other", "c", "k"), (None, None, "k"),
    ]  # fmt: skip
    assert without_erased(rows, frozenset()).equals(rows)
