"""Everything that is held about one person, as they may ask for it: rows, and raw records."""

from __future__ import annotations

import json
from typing import Any

from sms_etl.clean_base.steps import LEAST_REASON
from sms_etl.config.clock import now
from sms_etl.errors import ConfigError
from sms_etl.housekeeping.erase import about, held_pages, page_body, person_of
from sms_etl.housekeeping.layers import PERSON_TABLES
from sms_etl.housekeeping.masking import marks_of, records_of
from sms_etl.project import Project
from sms_etl.sources.base import PageFormat
from sms_etl.store.audit import Reveal, RevealOutcome, record_reveal


def held_about(project: Project, number: str, who: str, why: str) -> bytes:
    """What every layer holds about a person, as JSON; who asked for it is kept.

    Raises:
        ConfigError: no name, no reason, or no number.
    """
    if len(why.strip()) < LEAST_REASON or not who.strip():
        raise ConfigError("Say who asks and why (--why 'request of 3 November'); both are kept.")
    person = person_of(project, number)
    marks = marks_of(person.e164)
    told = Reveal(now(), who, f"export: {why.strip()}", person.pseudonym, RevealOutcome.SHOWN)
    record_reveal(project.warehouse, told)
    tables = {}
    for table in PERSON_TABLES:
        rows = project.lake.scan(table).filter(about(table, person)).collect()
        if rows.height:
            tables[table.name] = {
                "meaning": table.meaning,
                "rows": json.loads(rows.write_json()),
            }
    pages = []
    project.landing.fetch_all()
    for place in held_pages(project, marks):
        relative = place.path.relative_to(project.landing.root)
        records: list[Any] = ["A spreadsheet; see the file itself."]
        if place.format is not PageFormat.XLSX:
            records = records_of(page_body(place.path), place.format, marks)
        pages.append({"page": str(relative), "records": records})
    held = {
        "number": person.e164,
        "pseudonym": person.pseudonym,
        "as_of": now().isoformat(),
        "rows": tables,
        "received_from_providers": pages,
    }
    return json.dumps(held, ensure_ascii=False, indent=1).encode()
