"""Secrets live in the environment only; the settings hold the names of variables."""

from __future__ import annotations

import os
from typing import Any

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

from sms_etl.errors import ConfigError


class EnvSecret:
    """The name of an environment variable; its value is read when used and never kept."""

    def __init__(self, variable: str) -> None:
        self.variable = variable

    def get(self) -> str:
        """The secret itself.

        Raises:
            ConfigError: the variable is not set or is empty.
        """
        value = os.environ.get(self.variable, "")
        if not value:
            raise ConfigError(
                f"The environment variable {self.variable} is not set. "
                f"Set it to the secret that the settings file refers to by this name."
            )
        return value

    @property
    def is_set(self) -> bool:
        """Whether the variable holds anything."""
        return bool(os.environ.get(self.variable))

    def __repr__(self) -> str:
        return f"EnvSecret({self.variable!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, EnvSecret) and other.variable == self.variable

    def __hash__(self) -> int:
        return hash(self.variable)

    @classmethod
    def __get_pydantic_core_schema__(
        cls, _source: Any, _handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        text = core_schema.no_info_after_validator_function(
            cls,
            core_schema.str_schema(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$"),
        )
        return core_schema.json_or_python_schema(
            json_schema=text,
            python_schema=core_schema.union_schema([core_schema.is_instance_schema(cls), text]),
            serialization=core_schema.plain_serializer_function_ser_schema(
                lambda secret: secret.variable
            ),
        )
