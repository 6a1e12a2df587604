"""Mappings of known exports and callbacks, so that nobody has to write them; presets.toml."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

FILE = "presets.toml"
_ABOUT = ("source",)
"""Keys of a preset that are for its reader, not for the settings."""


@cache
def presets() -> Mapping[str, Mapping[str, Any]]:
    """Every preset by its name: keys of a drop folder's settings, and `source`."""
    text = files("sms_etl.sources").joinpath(FILE).read_text("utf-8")
    return tomllib.loads(text)


def with_preset(given: Mapping[str, Any]) -> dict[str, Any]:
    """Settings filled up from the preset they name; tables are filled up key by key.

    Raises:
        ValueError: there is no such preset; names those there are.
    """
    name = given.get("preset")
    if name is None:
        return dict(given)
    if name not in presets():
        raise ValueError(f"there is no preset {name!r}; the known ones are {', '.join(presets())}")
    filled = {key: value for key, value in presets()[name].items() if key not in _ABOUT}
    for key, value in given.items():
        known = filled.get(key)
        if isinstance(known, dict) and isinstance(value, dict):
            filled[key] = {**known, **value}
        else:
            filled[key] = value
    return filled
