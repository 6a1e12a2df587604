"""What is kept of a person and of where they clicked from."""

import hmac

import polars as pl
import pytest

from sms_etl.engagement.person import cut_link, cut_network, with_person
from sms_etl.messages.phones import parse_numbers, pseudonyms

KEY = b"secret"


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.77", "203.0.113.0/24"),
        (" 10.1.2.3 ", "10.1.2.0/24"),
        ("2001:db8:1234:5678::1", "2001:db8:1234::/48"),
        ("203.0.113.0", "203.0.113.0/24"),
        ("promin.example", None),
        ("", None),
        (None, None),
    ],
)
def test_an_address_is_cut_to_its_network(address, network):
    assert cut_network(pl.Series([address], dtype=pl.String)).to_list() == [network]


def test_networks_keep_the_order_of_the_addresses():
    addresses = pl.Series(["198.51.100.9", None, "203.0.113.1", "198.51.100.7"])
    networks = ["198.51.100.0/24", None, "203.0.113.0/24", "198.51.100.0/24"]
    assert cut_network(addresses).to_list() == networks


@pytest.mark.parametrize(
    ("link", "kept"),
    [
        ("https://s.example/a1", "https://s.example/a1"),
        ("https://s.example/a1?phone=380501234567", "https://s.example/a1"),
        ("https://s.example/a1#olena", "https://s.example/a1"),
        ("https://olena:1@s.example/a1?x", "https://s.example/a1"),
        ("s.example/a@b", "s.example/a@b"),
    ],
)
def test_a_link_loses_what_may_name_a_person(link, kept):
    assert pl.select(cut_link(pl.lit(link))).item() == kept


def test_a_person_is_the_same_pseudonym_as_in_messages():
    written = pl.Series("recipient", ["050 123-45-67", "380501234567", "+48600100200", "x", None])
    people = with_person(written.to_frame(), "UA", KEY)
    expected = hmac.new(KEY, b"+380501234567", "sha256").hexdigest()
    assert people["recipient"].to_list()[:2] == [expected, expected]
    assert people["country"].to_list() == ["UA", "UA", "PL", "unknown", "unknown"]
    numbers = parse_numbers(written, "UA")
    in_messages = dict(zip(numbers["raw"], pseudonyms(numbers["e164"], KEY), strict=True))
    assert people["recipient"].to_list() == [in_messages[text] for text in written]
    assert people["key_id"].null_count() == 2
