"""Sections of reports, a module each: what a section prints, and when it has anything to print.

A new section is a module here, a template of the same name in `report_templates/sections/` and a
line in `sms_etl.reports.kinds`.
"""
