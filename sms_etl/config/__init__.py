"""One validated settings tree. The only room that reads the settings file or the environment."""

from sms_etl.config.load import CONFIG_PATH_VARIABLE, load_settings, settings_path
from sms_etl.config.secrets import EnvSecret
from sms_etl.config.settings import Settings, Strict

__all__ = [
    "CONFIG_PATH_VARIABLE",
    "EnvSecret",
    "Settings",
    "Strict",
    "load_settings",
    "settings_path",
]
