"""What every node of the figures is; modules that add figures of their own build on it."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Figure(BaseModel):
    """A frozen node of the tree."""

    model_config = ConfigDict(frozen=True, extra="forbid")
