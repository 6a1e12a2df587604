"""The web cabinet of a provider whose exports people drop into a folder."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl

from sms_etl.sandbox.faults import FaultSettings
from sms_etl.sandbox.files import CABINET_CSV_TIME
from sms_etl.sandbox.provider import Told, page_size
from sms_etl.sandbox.written import WrittenApi

ZONE = "Europe/Kyiv"
EXPORTED = timedelta(days=14)
MOST_ROWS = 10_000

CABINET_WORDS = {
    "waiting": Told("У черзі"),
    "leaving": Told("У черзі"),
    "sent": Told("Надіслано"),
    "read": Told("Доставлено"),
    "delivered": Told("Доставлено"),
    "no_receipt": Told("Надіслано"),
    "expired": Told("Прострочено", 27),
    "dead_number": Told("Не доставлено", 1),
    "landline": Told("Не доставлено", 11),
    "network_error": Told("Не доставлено", 34),
    "spam_filter": Told("Не доставлено", 13),
    "outage": Told("Не доставлено", 27),
    "final_unknown": Told("Невідомо"),
    "invalid_number": Told("Відхилено", 1),
    "opted_out": Told("Відхилено"),
    "cancelled": Told("Відхилено"),
}


class DropFolderApi(WrittenApi):
    """CSV files for a Ukrainian spreadsheet: semicolons, decimal commas, a byte order mark.

    The files hold the last EXPORTED days; a page size makes more files of them.
    """

    name = "drop_folder"
    id_field = "ID"
    kept = ("Відправлено",)
    words = CABINET_WORDS

    def write(self, folder: Path, now: datetime, faults: FaultSettings) -> None:
        """One file for every page of messages, oldest first; files of before are replaced."""
        size = page_size(MOST_ROWS, faults)
        shown = pl.col("submitted_at").is_between(now - EXPORTED, now)
        files: dict[Path, list[dict[str, Any]]] = {}
        for record in self.records(self.messages.filter(shown), now, faults):
            number = self.position[record[self.id_field]] // size
            files.setdefault(folder / f"export-{number:06}.csv", []).append(record)
        for path in set(folder.glob("*.csv")) - set(files):
            path.unlink()
        for path, records in files.items():
            self._export(path, records)

    def _export(self, path: Path, records: list[dict[str, Any]]) -> None:
        with path.open("w", encoding="utf-8-sig", newline="") as file:
            table = csv.DictWriter(file, list(records[0]), delimiter=";")
            table.writeheader()
            table.writerows(records)

    def record(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """One line of an export."""
        price = self.price(row)
        return {
            "ID": row["message_id"],
            "Телефон": self.number(row),
            "Відправник": row["sender"],
            "Статус": row["word"],
            "Помилка": row["code"],
            "Відправлено": self._time(row["submitted_at"]),
            "Завершено": self._time(row["done_at"]),
            "Частин": row["parts"],
            "Ціна": None if price is None else str(price).replace(".", ","),
        }

    def _time(self, moment: datetime | None) -> str | None:
        local = self.wall_clock(moment, ZONE)
        return None if local is None else local.strftime(CABINET_CSV_TIME)
