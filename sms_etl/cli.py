"""The command line: `sms-etl …`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from sms_etl.backfill.cli import backfill
from sms_etl.clean_base import cli as clean_base
from sms_etl.config.clock import now
from sms_etl.config.load import refuse_unknown, validate
from sms_etl.config.settings import Filters, Language, Period, ReportKind, require_filters
from sms_etl.engagement import cli as engagement
from sms_etl.errors import ConfigError, SmsEtlError
from sms_etl.evidence import cli as evidence
from sms_etl.housekeeping import cli as housekeeping
from sms_etl.mail.cli import app as mail_app
from sms_etl.model.vocabulary import MICRO
from sms_etl.project import Project
from sms_etl.sandbox.cli import app as sandbox_app

if TYPE_CHECKING:
    import polars as pl

    from sms_etl.reconciliation.steps import Account

DAY_FORMATS = ["%Y-%m-%d"]

app = typer.Typer(
    help="Did our SMS arrive, how fast, what went wrong, and what next?",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.add_typer(sandbox_app, name="sandbox")
app.add_typer(mail_app, name="mail")
app.add_typer(clean_base.app, name="suppression")
app.command()(clean_base.reveal)
app.command()(clean_base.clean_base)
app.add_typer(housekeeping.app, name="housekeeping")
app.command()(housekeeping.erase)
app.command()(housekeeping.held)
app.command()(backfill)
app.command()(evidence.messages)
app.command()(evidence.trace)
app.command()(engagement.attribute)
app.command("loyal-unreachable")(engagement.loyal_unreachable)
console = Console()
errors = Console(stderr=True)


_MARKS = {
    (True, False): "[green]ok[/]  ",
    (True, True): "[green]ok[/]  ",
    (False, True): "[yellow]no[/]  ",
    (False, False): "[red]FAIL[/]",
}


class Format(StrEnum):
    """What a preview is written as."""

    PDF = "pdf"
    HTML = "html"
    JSON = "json"
    XLSX = "xlsx"
    CSV = "csv"
    PARQUET = "parquet"

    @property
    def suffix(self) -> str:
        """Ending of the file; tables that need a file each are zipped."""
        return f"{self.value}.zip" if self in {Format.CSV, Format.PARQUET} else self.value


@app.command()
def check() -> None:
    """Try settings, credentials, every right of every key, connections and the renderer.

    What a run needs and does not have is a failure; what it could use is only told.
    """
    from sms_etl.health import check_project

    failed = 0
    for result in check_project(Project.open()):
        failed += not (result.ok or result.optional)
        mark = _MARKS[result.ok, result.optional]
        console.print(f"{mark} {escape(result.subject)}: {escape(result.found)}", soft_wrap=True)
        if result.mend:
            console.print(f"     → {escape(result.mend)}", soft_wrap=True)
    if failed:
        raise typer.Exit(1)


@app.command()
def report(
    kind: Annotated[ReportKind, typer.Argument(help="What the report is about.")],
    period: Annotated[
        Period,
        typer.Option(help="The last one that is over."),
    ] = Period.WEEK,
    first: Annotated[
        datetime | None, typer.Option("--from", formats=DAY_FORMATS, help="Instead: first day.")
    ] = None,
    last: Annotated[
        datetime | None, typer.Option("--to", formats=DAY_FORMATS, help="Last day.")
    ] = None,
    campaign: Annotated[str | None, typer.Option(help="For a campaign report.")] = None,
    sections: Annotated[
        list[str] | None,
        typer.Option("--section", help="Only this section; may be given several times."),
    ] = None,
    currency: Annotated[
        str | None, typer.Option(help="What money is converted to; without: that of [money].")
    ] = None,
    only: Annotated[
        list[str] | None,
        typer.Option(
            help="Only messages of: dimension=value, as in [subscriptions.filters]; may be given "
            "several times."
        ),
    ] = None,
    lang: Annotated[Language, typer.Option(help="Language of the report.")] = Language.UKRAINIAN,
    form: Annotated[Format, typer.Option("--format", help="What to write.")] = Format.PDF,
    out: Annotated[
        Path | None, typer.Option(help="File to write; without: a name of ours.")
    ] = None,
) -> None:
    """Preview a report to a file. Freezes nothing and mails nobody."""
    from sms_etl.publish import CAMPAIGN_SEARCH_DAYS, ReportOrder, cube_of, figures_of
    from sms_etl.reports.as_json import figures_json
    from sms_etl.reports.data_files import DataFormat, data_file
    from sms_etl.reports.kinds import KINDS
    from sms_etl.reports.render import render, render_html

    if kind is ReportKind.CAMPAIGN and not campaign:
        raise ConfigError("A campaign report needs --campaign.")
    project = Project.open()
    zone = project.settings.project.zone
    yesterday = now().astimezone(zone).date() - timedelta(days=1)
    named, days = _days(period, first, last, yesterday)
    if kind is ReportKind.CAMPAIGN and first is None:
        named, days = None, (yesterday - timedelta(days=CAMPAIGN_SEARCH_DAYS - 1), yesterday)
    refuse_unknown(sections or (), [one.key for one in KINDS[kind].sections], "--section")
    order = ReportOrder(
        kind=kind,
        period=named,
        first_day=days[0],
        last_day=days[1],
        zone=zone.key,
        language=lang,
        campaign=campaign,
        sections=tuple(sections or ()),
        filters=_filters(kind, only or (), project),
        currency=currency,
    )
    figures = figures_of(project, order)
    match form:
        case Format.JSON:
            body = figures_json(figures)
        case Format.HTML:
            body = render_html(figures, lang, cube_of(project, order), draft=True)
        case Format.PDF:
            body = render(figures, lang, draft=True).pdf
        case _:
            body = data_file(figures, lang, DataFormat(form.value))
    days_named = f"{figures.first_day}-{figures.last_day}"
    path = out or Path(f"{campaign or kind}-{days_named}-{lang}.{form.suffix}")
    path.write_bytes(body)
    console.print(f"{path} ({len(body) / 1000:.0f} kB)")


def _filters(kind: ReportKind, given: Sequence[str], project: Project) -> Filters:
    """Filters as `dimension=value`, several of a dimension meaning any of them."""
    asked: dict[str, list[str]] = {}
    for text in given:
        name, _, value = text.partition("=")
        asked.setdefault(name.strip(), []).append(value.strip())
    filters = validate(Filters, asked, Path("--only"), "")
    try:
        require_filters(kind, filters)
    except ValueError as error:
        raise ConfigError(f"--only: {error}") from None
    refuse_unknown(filters.source, project.source_names, "--only source")
    return filters


@app.command()
def diff(
    then: Annotated[str, typer.Argument(help="Identifier of an edition.")],
    now_: Annotated[str, typer.Argument(metavar="NOW", help="Identifier of a later one.")],
    lang: Annotated[Language, typer.Option(help="Language of the sentences.")] = Language.UKRAINIAN,
) -> None:
    """Say in words what one edition says that another did not."""
    from sms_etl.publish import editions
    from sms_etl.reports.difference import differences
    from sms_etl.reports.language import Words

    store = editions(Project.open())
    before, after = (store.get(name).figures() for name in (then, now_))
    for sentence in differences(Words(lang), before, after):
        console.print(escape(sentence), soft_wrap=True)


@app.command()
def verify(
    ids: Annotated[
        list[str] | None, typer.Argument(help="Identifiers of editions; without: all of them.")
    ] = None,
) -> None:
    """Check every file of frozen reports against its hash."""
    from sms_etl.publish import editions

    store = editions(Project.open())
    found = [store.get(name) for name in ids] if ids else store.recent(None)
    problems = [(one.id, problem) for one in found for problem in store.verify(one)]
    for name, problem in problems:
        console.print(escape(f"{name}: {problem}"), soft_wrap=True)
    files = sum(len(one.hashes) for one in found)
    console.print(f"Editions: {len(found)}, files: {files}, problems: {len(problems)}")
    if problems:
        raise typer.Exit(1)


@app.command()
def dictionary(
    provider: Annotated[
        str, typer.Argument(help="A kind of source, or a name of docs/dictionaries.md.")
    ],
    word: Annotated[str, typer.Argument(help="A status word or a code.")],
) -> None:
    """Explain a status word or a code of a provider, in both languages."""
    from sms_etl.dictionaries import explain
    from sms_etl.sources.registry import dictionary_name

    name = dictionary_name(provider)
    found = explain(name, word)
    if found is None:
        errors.print(
            f"The dictionary of {name} has no {word!r}; what it has: docs/dictionaries.md."
        )
        raise typer.Exit(1)
    table = Table(show_header=False, box=None)
    for name, value in vars(found).items():
        if value is not None:
            table.add_row(name.replace("_", " "), escape(str(value)))
    console.print(table)


@app.command()
def alive(
    within: Annotated[
        int, typer.Option("--within-minutes", min=1, help="The longest silence that is normal.")
    ] = 30,
) -> None:
    """Say whether the scheduler was heard of lately; exit code 1 if not. For a cron job."""
    from sms_etl.notices import silent_for

    silence = silent_for(Project.open(), now())
    if silence is None:
        errors.print("The scheduler was never heard of. Is the Dagster daemon running?")
        raise typer.Exit(1)
    minutes = int(silence.total_seconds() // 60)
    if silence > timedelta(minutes=within):
        errors.print(f"The scheduler has been silent for {minutes} minutes. Start the daemon.")
        raise typer.Exit(1)
    console.print(f"The scheduler was heard of {minutes} minutes ago.")


@app.command()
def reconcile(
    first: Annotated[datetime, typer.Option("--from", formats=DAY_FORMATS, help="First day.")],
    last: Annotated[datetime, typer.Option("--to", formats=DAY_FORMATS, help="Last day.")],
    source: Annotated[str | None, typer.Option(help="One source; without: all.")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder for lists of rows as CSV.")] = None,
) -> None:
    """Hold your outbox, the providers' logs and their invoices against each other.

    New invoice files are landed first. Nothing else is pulled and nobody is mailed.
    """
    from sms_etl.days import days_between
    from sms_etl.reconciliation.steps import land_invoices, reconcile_days
    from sms_etl.reconciliation.tables import write_lists

    project = Project.open()
    if source is not None and source not in project.reconciled:
        raise ConfigError(
            f"Nothing can be held against {source!r}: name it in reconciliation.outbox_sources or "
            f"give it [invoices.{source}]; there are: {', '.join(project.reconciled) or 'none'}"
        )
    if first > last:
        raise ConfigError("--from is later than --to.")
    accounts = []
    for name in [source] if source else project.reconciled:
        land_invoices(project, name)
        account = reconcile_days(project, name, days_between(first.date(), last.date()))
        accounts.append(account)
        _print_account(account)
    if not accounts:
        raise ConfigError("There is no outbox and no [invoices.<source>] to reconcile with.")
    if out is not None:
        for path in write_lists(accounts, out):
            console.print(str(path), soft_wrap=True)


def _print_account(account: Account) -> None:
    from sms_etl.reconciliation.tables import by_state, open_days, open_totals

    counts = by_state(account.rows)
    console.print(_table(account.source, counts, ("state", "detail", "count"), money=True))
    if account.untimed:
        console.print(f"{account.untimed} outbox rows have no readable time and are of no day.")
    silent = open_days(account.days)
    if not silent.is_empty():
        columns = ("day", "silence", "outbox_rows", "messages", "records")
        console.print(_table(f"{account.source}: silent days", silent, columns))
    totals = open_totals(account.totals)
    if not totals.is_empty():
        columns = ("first_day", "day", "country", "campaign", "state")
        told = (*columns, "messages_ours", "messages_theirs")
        console.print(_table(f"{account.source}: totals that differ", totals, told, money=True))


def _table(title: str, rows: pl.DataFrame, columns: Sequence[str], *, money: bool = False) -> Table:
    """Columns of a frame for the screen, and its money in currency units."""
    table = Table(*columns, title=title, box=None, title_justify="left")
    if money:
        for name in ("ours", "theirs", "difference", "currency"):
            table.add_column(name, justify="left" if name == "currency" else "right")
    for row in rows.iter_rows(named=True):
        cells = ["" if row[name] is None else escape(str(row[name])) for name in columns]
        if money:
            amounts = [row[f"{name}_micro"] for name in ("ours", "theirs", "difference")]
            cells += ["" if micro is None else f"{micro / MICRO:,.2f}" for micro in amounts]
            cells.append(row["currency"] or "")
        table.add_row(*cells)
    return table


def _days(
    period: Period, first: datetime | None, last: datetime | None, yesterday: date
) -> tuple[Period | None, tuple[date, date]]:
    """The days given, or the last period that is over."""
    from sms_etl.reports.periods import period_days

    if first is None and last is None:
        return period, period_days(period, yesterday)
    if first is None or last is None:
        raise ConfigError("Days of a report need both --from and --to.")
    if first > last:
        raise ConfigError("--from is later than --to.")
    return None, (first.date(), last.date())


def main() -> None:
    """Run the command line; our own errors are sentences, not tracebacks."""
    try:
        app()
    except SmsEtlError as error:
        errors.print(f"[red]{escape(str(error))}[/]", soft_wrap=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
