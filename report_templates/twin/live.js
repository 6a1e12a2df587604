/** What stands in place of the report while a filter is on: the same figures of what it lets through. */

import { dayChart } from "./chart.js";
import { element } from "./dom.js";
import { makeSortable } from "./tables.js";

const MOST_ROWS = 25;
const MOST_REASONS = 12;
const DASH = "—";

/** The view of totals as made by `totalsBy`. */
export function liveView({ cube, filter, totals, format, texts, width }) {
  const say = { cube, filter, format, texts, byReason: filter.reasons !== null };
  const { whole } = totals;
  const heading = element("h2", { class: "live-head", tabindex: "-1" }, headline(whole, say));
  if (!whole.submitted) return [heading];
  return [
    heading,
    element("p", { class: "note" }, span(filter, say)),
    element("section", { class: "cards" }, cardsOf(whole, say)),
    ...(totals.days.length > 1 ? [daysOf(totals.days, say, width)] : []),
    reasonsOf(whole, say),
    ...Object.entries(totals.by)
      .filter(([dimension]) => cube.labels[dimension].length > 1)
      .map(([dimension, rows]) => groupsOf(dimension, rows, say)),
    element("p", { class: "note" }, notes(say)),
  ].filter(Boolean);
}

const rateOf = (totals, { byReason }) => (byReason ? totals.withReasons : totals.delivery);

function headline(whole, say) {
  const { format, texts } = say;
  if (!whole.submitted) return texts.nothing;
  const rate = rateOf(whole, say);
  const pattern = say.byReason ? texts.headlineReasons : texts.headline;
  return format.put(pattern, [format.share(rate), `(${format.counts(rate)})`].filter((x) => x).join(" "));
}

function span(filter, { cube, format, texts }) {
  const { first, last } = filter;
  const days = first === last ? format.day(first) : `${format.day(first)} – ${format.day(last)}`;
  const error = format.percent(cube.relative_error, 0);
  return [days, ...chosenOf({ cube, filter, texts }), format.put(texts.timesWithin, error)].join(" · ");
}

/** The filters in words: a print has no controls. */
function chosenOf({ cube, filter, texts }) {
  const places = Object.entries(filter.chosen)
    .filter(([, chosen]) => chosen)
    .map(([name, chosen]) => [name, [...chosen].map((place) => cube.labels[name][place])]);
  const reasons = filter.reasons && ["reason", [...filter.reasons].map((one) => texts.reasons[one] ?? one)];
  return [...places, ...(reasons ? [reasons] : [])].map(
    ([name, labels]) => `${texts.dimensions[name]}: ${labels.join(", ")}`);
}

function notes({ cube, format, texts }) {
  return cube.campaigns_merged ? format.put(texts.merged, format.count(cube.campaigns_merged)) : "";
}

/** The figures of the first page. */
function cardsOf(whole, say) {
  const { format, texts } = say;
  const rate = rateOf(whole, say);
  const cards = [
    card(say.byReason ? texts.withReasons : texts.delivered, format.share(rate) || format.count(rate.numerator),
      [format.counts(rate), interval(rate, say), say.byReason ? null : ceiling(rate, say)]),
    card(texts.sent, format.count(whole.submitted), [
      whole.messages_with_parts ? `${texts.parts}: ${format.count(whole.parts)}` : null,
      whole.pending ? `${texts.waiting}: ${format.count(whole.pending)}` : null,
    ]),
    card(texts.known, format.share(whole.coverage) || format.count(whole.coverage.numerator),
      [format.counts(whole.coverage)]),
    card(texts.undelivered, format.count(whole.undelivered), [
      `${texts.failed}: ${format.count(whole.failed)}`,
      `${texts.rejected}: ${format.count(whole.rejected)}`,
      `${texts.unanswered}: ${format.count(whole.unknown)}`,
    ]),
    timeCard(whole.latency, say),
    ...whole.costs.map((cost) => card(texts.spent, format.money(cost.spent_micro, cost.currency), [
      `${texts.onUndelivered}: ${format.money(cost.spent_on_undelivered_micro, cost.currency)}`,
      cost.per_delivered_micro === null ? null
        : `${texts.each}: ${format.price(cost.per_delivered_micro, cost.currency)}`,
      cost.messages_with_cost < whole.submitted
        ? `${texts.priced}: ${format.put(format.of, format.count(cost.messages_with_cost), format.count(whole.submitted))}`
        : null,
    ])),
  ];
  return cards;
}

function card(name, value, details) {
  return element("div", { class: "card" },
    element("p", { class: "name" }, name),
    element("p", { class: "value" }, value),
    details.filter(Boolean).map((text) => element("p", { class: "detail" }, text)));
}

function timeCard(latency, { format, texts }) {
  const within = (name, seconds) => `${name}: ${format.duration(seconds)}`;
  const bound = latency.atMost && latency.p50 !== null ? "≤ " : "";
  return card(texts.medianTime, bound + format.duration(latency.p50), [
    within(texts.p90, latency.p90), within(texts.p99, latency.p99),
    within(texts.halfOfAll, latency.all_p50), within(texts.mostOfAll, latency.all_p90)]);
}

function interval(rate, { format, texts }) {
  if (rate.small || rate.interval === null) return null;
  return format.put(texts.interval, format.percent(rate.interval.low), format.percent(rate.interval.high));
}

function ceiling(rate, { format, texts }) {
  if (rate.small || rate.high === null || rate.high - rate.value < 0.0005) return null;
  const text = format.put(texts.upTo, format.percent(rate.high));
  return rate.mature ? text : `${text} · ${texts.provisional}`;
}

function daysOf(days, say, width) {
  const { filter, format, texts } = say;
  const series = days.map((totals, n) => {
    const rate = rateOf(totals, say);
    const value = rate.small ? null : rate.value;
    const bad = say.byReason ? rate.numerator : totals.submitted - totals.delivered;
    return {
      label: format.day(filter.first + n), rate: value, high: value === null ? null : rate.high ?? value,
      good: totals.submitted - bad, bad,
    };
  });
  const known = days.map((totals) => rateOf(totals, say)).filter((rate) => !rate.small);
  const shares = known.map((rate) => rate.value);
  const alt = shares.length
    ? format.put(texts.chartAlt, format.percent(Math.min(...shares)), format.percent(Math.max(...shares)))
    : texts.byDay;
  const rows = days.map((totals, n) => element("tr", {},
    element("th", { scope: "row", "data-sort": n }, format.day(filter.first + n)),
    rateCell(rateOf(totals, say), say)));
  const table = element("table", { class: "groups half" },
    element("thead", {}, element("tr", {}, head(texts.day), head(rateName(say), "num"))),
    element("tbody", {}, rows));
  makeSortable(table, texts.language);
  return element("section", {},
    element("h2", {}, texts.byDay),
    element("p", { class: "sub" }, say.byReason ? texts.chartLegendReasons : texts.chartLegend),
    dayChart(series, width, format, alt),
    element("details", { class: "as-table" }, element("summary", {}, texts.asTable), table));
}

const rateName = ({ byReason, texts }) => (byReason ? texts.withReasons : texts.deliveredOfSent);

function head(text, style = null) {
  return element("th", { scope: "col", class: style }, text);
}

function rateCell(rate, say) {
  const { format } = say;
  return element("td", { class: "num rated", "data-sort": rate.value ?? "", "data-label": rateName(say) },
    element("span", { class: "rate" },
      element("span", { class: "counts" }, format.counts(rate)), " ",
      element("span", { class: "share" }, format.share(rate))));
}

function bar(size, most, main = false) {
  const filled = element("span", { class: main ? "bar main" : "bar" });
  filled.style.width = `${Math.max(1, Math.round((100 * size) / most))}%`;
  return element("td", { class: "barcell", "data-sort": size }, element("span", { class: "track" }, filled));
}

function reasonsOf(whole, say) {
  const { format, texts } = say;
  if (!whole.reasons.length) return null;
  const most = whole.reasons[0].share.numerator;
  const rows = whole.reasons.slice(0, MOST_REASONS).map(({ reason, share }) => element("tr", {},
    element("th", { scope: "row" }, texts.reasons[reason] ?? reason),
    element("td", { class: "num", "data-sort": share.numerator, "data-label": texts.ofUndelivered },
      element("span", { class: "rate" },
        element("span", { class: "counts" }, format.counts(share)), " ",
        element("span", { class: "share" }, format.share(share)))),
    bar(share.numerator, most, true),
    element("td", { "data-label": texts.mends }, texts.menders[reason] ?? DASH)));
  const table = element("table", { class: "reasons" },
    element("thead", {}, element("tr", {}, head(texts.dimensions.reason), head(texts.ofUndelivered, "num"),
      head("", "barcell"), head(texts.mends))),
    element("tbody", {}, rows));
  makeSortable(table, texts.language);
  const left = whole.reasons.length - rows.length;
  return element("section", {}, element("h2", {}, texts.reasonsTitle), table,
    left > 0 ? element("p", { class: "note" }, format.put(texts.more, format.count(left))) : null);
}

function groupsOf(dimension, groups, say) {
  const { cube, format, texts } = say;
  const labels = cube.labels[dimension];
  const ordered = [...groups].sort(
    (a, b) => b.totals.submitted - a.totals.submitted || a.place - b.place);
  const most = Math.max(...ordered.map(({ totals }) => totals.submitted), 1);
  const rows = ordered.map(({ place, totals }) => groupRow(labels[place], totals, most, say));
  const body = element("tbody", {}, rows.slice(0, MOST_ROWS));
  const table = element("table", { class: "groups full" },
    element("thead", {}, element("tr", {}, head(texts.dimensions[dimension]), head(rateName(say), "num rated"),
      head(texts.volume, "barcell"), head(texts.median, "num half-time"), head(texts.each, "num priced"))),
    body);
  makeSortable(table, texts.language);
  const more = rows.length > MOST_ROWS
    ? element("button", { type: "button", class: "more", onclick: (event) => {
        body.append(...rows.slice(MOST_ROWS));
        event.target.remove();
      } }, format.put(texts.showAll, format.count(rows.length)))
    : null;
  return element("section", { "data-table": dimension }, element("h2", {}, texts.titles[dimension]), table, more);
}

function groupRow(label, totals, most, say) {
  const { format, texts } = say;
  const { latency } = totals;
  const bound = latency.atMost && latency.p50 !== null ? "≤ " : "";
  const cost = totals.costs.reduce(
    (best, one) => (!best || one.messages_with_cost > best.messages_with_cost ? one : best), null);
  const each = cost?.per_delivered_micro ?? null;
  return element("tr", { class: "group" },
    element("th", { scope: "row" }, label),
    rateCell(rateOf(totals, say), say),
    bar(totals.submitted, most),
    element("td", { class: "num half-time", "data-sort": latency.p50 ?? "", "data-label": texts.median },
      bound + format.duration(latency.p50)),
    element("td", { class: "num priced", "data-sort": each ?? "", "data-label": texts.each },
      each === null ? DASH : format.price(each, cost.currency)));
}
