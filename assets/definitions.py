"""The code location of the deployment that SMS_ETL_CONFIG names."""

from assets.build import build_defs
from sms_etl.project import Project

defs = build_defs(Project.open())
