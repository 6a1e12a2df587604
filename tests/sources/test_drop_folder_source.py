"""Dropped files of real formats: CSV, XLSX, gzip and zip, and what is refused."""

import gzip
import hashlib
import io
import zipfile
from datetime import UTC, date, datetime

import polars as pl
import pytest

from sms_etl.errors import PermanentSourceError
from sms_etl.model.schemas import OBSERVATIONS
from sms_etl.sources import files
from sms_etl.sources.base import PageFormat
from sms_etl.sources.registry import SOURCE_KINDS, make_source

HEADINGS = ("ID", "Телефон", "Відправник", "Статус", "Відправлено", "Доставлено", "Ціна")
LINES = (
    ("1001", "380671234567", "Promin", "Доставлено", "05.03.2025 23:30:00", "05.03.2025 23:30:05",
     "0,479"),
    ("1002", "380501234567", "Promin", "Прострочено", "06.03.2025 00:10:00", "", ""),
)  # fmt: skip
NOW = datetime(2025, 3, 8, 9, tzinfo=UTC)


def csv_bytes(lines=LINES, delimiter=";", encoding="utf-8-sig") -> bytes:
    text = "".join(delimiter.join(line) + "\r\n" for line in (HEADINGS, *lines))
    return text.encode(encoding)


def xlsx_bytes() -> bytes:
    """The same table as a cabinet writes it: numbers and times in typed cells."""
    form = "%d.%m.%Y %H:%M:%S"
    table = pl.DataFrame(
        [
            {
                "ID": int(line[0]),
                "Телефон": int(line[1]),
                "Відправник": line[2],
                "Статус": line[3],
                "Відправлено": datetime.strptime(line[4], form),  # noqa: DTZ007
                "Доставлено": datetime.strptime(line[5], form) if line[5] else None,  # noqa: DTZ007
                "Ціна": float(line[6].replace(",", ".")) if line[6] else None,
            }
            for line in LINES
        ]
    )
    out = io.BytesIO()
    table.write_excel(out, dtype_formats={pl.Datetime: "dd.mm.yyyy hh:mm:ss"})
    return out.getvalue()


def zip_bytes(members: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in members.items():
            archive.writestr(name, body)
    return out.getvalue()


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "in"
    path.mkdir()
    return path


@pytest.fixture
def make(tmp_path):
    def build(**changes):
        block = {
            "kind": "drop_folder",
            "folder": "in",
            "delimiter": ";",
            "decimal": ",",
            "time_zone": "Europe/Kyiv",
            "time_formats": ["%d.%m.%Y %H:%M:%S"],
            "columns": {
                "message_id": "ID",
                "recipient": "Телефон",
                "sender": "Відправник",
                "status": "Статус",
                "created_at": "Відправлено",
                "done_at": "Доставлено",
                "price": "Ціна",
            },
            "constants": {"currency": "UAH", "campaign": "spring", "channel": "sms"},
            "status_words": {"Доставлено": "DELIVRD", "Прострочено": "EXPIRED"},
            **changes,
        }
        settings = SOURCE_KINDS["drop_folder"].model_validate(block)
        return make_source("cabinet", settings, tmp_path)

    return build


def read(source, plans, land) -> pl.DataFrame:
    frames = [source.read(land(list(plan.pages), pull=f"pull-{n}")) for n, plan in enumerate(plans)]
    return pl.concat(frames).collect()


def test_a_file_is_one_pull_under_the_days_it_tells_of(folder, make, context_at, land):
    (folder / "export.csv").write_bytes(csv_bytes())
    source = make()
    (plan,) = source.plan([date(2024, 1, 1)], context_at(NOW))
    assert (plan.first_day, plan.last_day) == (date(2025, 3, 5), date(2025, 3, 6))
    (page,) = plan.pages
    assert page.body == csv_bytes()
    assert page.format is PageFormat.CSV
    assert page.records == 2
    assert page.meta == {
        "file": "export.csv",
        "file_sha256": hashlib.sha256(csv_bytes()).hexdigest(),
        "member": "export.csv",
    }
    frame = source.read(land([page])).collect()
    assert frame.schema == OBSERVATIONS.schema
    row = frame.row(0, named=True)
    assert {name: row[name] for name in row if row[name] is not None} == {
        "pull": "pull-1",
        "page": 1,
        "record": 0,
        "pulled_at": row["pulled_at"],
        "message_id": "1001",
        "recipient": "380671234567",
        "sender": "Promin",
        "campaign": "spring",
        "channel": "sms",
        "inbound": False,
        "status": "DELIVRD",
        "created_at_text": "05.03.2025 23:30:00",
        "created_at": datetime(2025, 3, 5, 21, 30, tzinfo=UTC),
        "done_at_text": "05.03.2025 23:30:05",
        "done_at": datetime(2025, 3, 5, 21, 30, 5, tzinfo=UTC),
        "done_at_origin": "provider",
        "price_text": "0,479",
        "cost_micro": 479_000,
        "currency": "UAH",
    }
    assert frame.select("status", "done_at", "cost_micro", "done_at_origin").row(1) == (
        "EXPIRED", None, None, "none",
    )  # fmt: skip


def test_xlsx_and_csv_say_the_same(folder, make, context_at, land):
    (folder / "a.csv").write_bytes(csv_bytes())
    (folder / "b.xlsx").write_bytes(xlsx_bytes())
    source = make()
    plans = list(source.plan([], context_at(NOW)))
    assert {(plan.first_day, plan.last_day) for plan in plans} == {
        (date(2025, 3, 5), date(2025, 3, 6))
    }
    both = read(source, plans, land).drop("pull", "page", "pulled_at", "price_text")
    texts = [name for name in both.columns if name.endswith("_at_text")]
    a, b = both.drop(texts).head(2), both.drop(texts).tail(2)
    assert a.equals(b), f"{a}{b}"


def test_files_in_gzip_and_zip_and_other_encodings(folder, make, context_at, land):
    body = csv_bytes(encoding="cp1251")
    (folder / "a.csv.gz").write_bytes(gzip.compress(body))
    (folder / "b.zip").write_bytes(zip_bytes({"x/one.csv": body, "two.csv": body}))
    source = make(encoding="cp1251")
    plans = list(source.plan([], context_at(NOW)))
    pages = [page for plan in plans for page in plan.pages]
    assert [page.meta["member"] for page in pages] == ["a.csv", "one.csv", "two.csv"]
    assert {page.body for page in pages} == {body}
    assert source.read(land(pages)).collect()["status"].to_list() == ["DELIVRD", "EXPIRED"] * 3


def test_a_file_is_picked_up_once_whatever_its_name(folder, make, context_at):
    (folder / "a.csv").write_bytes(csv_bytes())
    source = make()
    (plan,) = source.plan([], context_at(NOW))
    seen = frozenset(page.meta["file_sha256"] for page in plan.pages)
    (folder / "a.csv").rename(folder / "b.csv")
    assert list(source.plan([], context_at(NOW, landed_checksums=seen))) == []
    (folder / "b.csv").write_bytes(csv_bytes(LINES[:1]))
    assert len(list(source.plan([], context_at(NOW, landed_checksums=seen)))) == 1


def test_unfinished_hidden_and_other_files_are_left_alone(folder, make, context_at, tmp_path):
    for name in (".a.csv", "~$b.xlsx", "c.csv.part", "notes.txt"):
        (folder / name).write_bytes(csv_bytes())
    (tmp_path / "elsewhere.csv").write_bytes(csv_bytes())
    (folder / "link.csv").symlink_to(tmp_path / "elsewhere.csv")
    assert list(make().plan([], context_at(NOW))) == []


def test_a_broken_file_is_named_and_the_others_go_on(folder, make, context_at):
    (folder / "a.csv").write_bytes(csv_bytes())
    (folder / "b.csv").write_bytes(b"ID;Phone\n1;2\n")
    (folder / "c.csv").write_bytes(b"")
    (folder / "d.xlsx").write_bytes(b"no spreadsheet")
    (folder / "e.csv").write_bytes("Телефон".encode("cp1251"))
    (folder / "f.csv.gz").write_bytes(gzip.compress(csv_bytes())[:40])
    (folder / "g.csv").write_bytes(csv_bytes([("1", "2", "3", "4", "5 березня", "6", "7")]))
    (folder / "h.csv").write_bytes(csv_bytes())
    plans = make().plan([], context_at(NOW))
    assert [next(plans).asked, next(plans).asked] == ["file a.csv", "file h.csv"]
    with pytest.raises(PermanentSourceError) as caught:
        next(plans)
    told = dict(line.split(": ", 1) for line in str(caught.value).splitlines()[1:])
    told = {path.rpartition("/")[2]: why for path, why in told.items()}
    assert list(told) == ["b.csv", "c.csv", "d.xlsx", "e.csv", "f.csv.gz", "g.csv"]
    assert "no column 'Телефон'" in told["b.csv"]
    assert "empty" in told["c.csv"]
    assert "cannot be opened" in told["d.xlsx"]
    assert "encoding" in told["e.csv"]
    assert "cannot be opened" in told["f.csv.gz"]
    assert "time_formats" in told["g.csv"]


def test_a_line_with_too_many_cells_is_a_malformed_row(folder, make, context_at, land):
    long = (*LINES[0], "one", "too many")
    short = ("1003", "380671234567", "Promin", "Доставлено", "05.03.2025 12:00:00")
    (folder / "a.csv").write_bytes(csv_bytes([LINES[0], long, short]))
    source = make()
    frame = read(source, source.plan([], context_at(NOW)), land)
    assert frame["message_id"].to_list() == ["1001", None, "1003"]
    assert frame["malformed"].to_list() == [
        None, "the line has 9 cells, the heading line 7", None,
    ]  # fmt: skip


def test_unreadable_values_stay_as_text(folder, make, context_at, land):
    line = ("1003", "", "", "", "yesterday", "", "free")
    (folder / "a.csv").write_bytes(csv_bytes([*LINES, line]))
    source = make()
    row = read(source, source.plan([], context_at(NOW)), land).row(2, named=True)
    assert (row["created_at_text"], row["created_at"]) == ("yesterday", None)
    assert (row["price_text"], row["cost_micro"]) == ("free", None)
    assert (row["recipient"], row["status"]) == (None, None)


def test_a_table_without_lines_is_landed_for_today(folder, make, context_at):
    (folder / "a.csv").write_bytes(csv_bytes([]))
    (plan,) = make().plan([], context_at(NOW))
    assert plan.first_day == plan.last_day == date(2025, 3, 8)
    assert [page.records for page in plan.pages] == [0]


@pytest.mark.parametrize("name", ["../evil.csv", "/etc/evil.csv", "C:\\evil.csv", "a\\..\\b.csv"])
def test_names_that_lead_elsewhere_are_refused(folder, make, context_at, name):
    (folder / "a.zip").write_bytes(zip_bytes({name: csv_bytes()}))
    with pytest.raises(PermanentSourceError, match="leads elsewhere"):
        list(make().plan([], context_at(NOW)))


def test_links_inside_an_archive_are_refused(folder, make, context_at):
    info = zipfile.ZipInfo("link.csv")
    info.external_attr = 0o120777 << 16
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(info, "/etc/passwd")
    (folder / "a.zip").write_bytes(out.getvalue())
    with pytest.raises(PermanentSourceError, match="leads elsewhere"):
        list(make().plan([], context_at(NOW)))


def test_bombs_are_refused(folder, make, context_at):
    bomb = b"0" * (20 * 1024 * 1024)
    (folder / "a.zip").write_bytes(zip_bytes({"bomb.csv": bomb}))
    (folder / "b.csv.gz").write_bytes(gzip.compress(bomb))
    (folder / "c.xlsx").write_bytes(zip_bytes({"xl/worksheets/sheet1.xml": bomb}))
    (folder / "d.zip").write_bytes(zip_bytes({"inner.zip": zip_bytes({"bomb.csv": bomb})}))
    with pytest.raises(PermanentSourceError) as caught:
        list(make().plan([], context_at(NOW)))
    lines = str(caught.value).splitlines()[1:]
    assert ["as a bomb does" in line for line in lines] == [True, True, True, False]
    assert "inner.zip" in lines[3]


def test_an_archive_that_lies_about_its_size_is_stopped(folder, make, context_at, monkeypatch):
    monkeypatch.setattr(files, "MOST_BYTES", 1000)
    (folder / "a.csv.gz").write_bytes(gzip.compress(csv_bytes() * 10))
    (folder / "b.zip").write_bytes(zip_bytes({"b.csv": csv_bytes() * 10}))
    (folder / "c.zip").write_bytes(zip_bytes({f"{n}.csv": b"x" for n in range(101)}))
    with pytest.raises(PermanentSourceError) as caught:
        list(make().plan([], context_at(NOW)))
    lines = str(caught.value).splitlines()[1:]
    assert ["more than 1000 bytes" in line for line in lines] == [True, True, False]
    assert "101 files" in lines[2]


def test_the_check_names_a_missing_folder(make, folder):
    (fine,) = make().check()
    folder.rmdir()
    (missing,) = make().check()
    assert (fine.ok, missing.ok) == (True, False)
    assert str(folder) in missing.mend
    assert "Create it" in missing.mend
