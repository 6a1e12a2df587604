"""What the words and codes of each provider mean, as data with its sources."""

from sms_etl.dictionaries.classify import classify
from sms_etl.dictionaries.dictionary import (
    Dictionary,
    Explanation,
    dictionary_names,
    explain,
    load_dictionary,
)
from sms_etl.dictionaries.tables import ReasonLabel, reason_labels, reasons

__all__ = [
    "Dictionary",
    "Explanation",
    "ReasonLabel",
    "classify",
    "dictionary_names",
    "explain",
    "load_dictionary",
    "reason_labels",
    "reasons",
]
