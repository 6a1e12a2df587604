/**
 * The days as the report draws them: a rate above, messages below, on one time axis. Colours are
 * classes of the style sheet, so that light, dark and print each have their own.
 */

import { drawn } from "./dom.js";

const GUTTER = 52;
const RIGHT = 10;
const RATE_HEIGHT = 150;
const VOLUME_HEIGHT = 74;
const GAP = 20;
const TOP = 8;
const AXIS = 22;
const LEAST_SPAN = 0.02;
const LABEL_WIDTH = 74;

function niceStep(span, count) {
  const raw = span / Math.max(count, 1);
  const power = 10 ** Math.floor(Math.log10(raw));
  return [1, 2, 5, 10].map((times) => power * times).find((step) => step >= raw * 0.999);
}

function ticksOf(low, high, count) {
  const step = niceStep(high - low, count);
  const [first, last] = [Math.floor(low / step + 1e-9), Math.ceil(high / step - 1e-9)];
  return Array.from({ length: last - first + 1 }, (_, n) => (first + n) * step);
}

/** Runs of neighbouring points that have a value. */
function runs(points) {
  const found = [[]];
  for (const point of points) {
    if (point !== null) found.at(-1).push(point);
    else if (found.at(-1).length) found.push([]);
  }
  return found.filter((run) => run.length);
}

const path = (points) => points.map(([x, y], n) => `${n ? "L" : "M"}${x.toFixed(1)},${y.toFixed(1)}`).join("");

/**
 * A chart of `series`: [{label, rate, high, good, bad}]; rate and high are shares or null.
 * `format` prints numbers, `alt` stands for the drawing.
 */
export function dayChart(series, width, format, alt) {
  const height = TOP + RATE_HEIGHT + GAP + VOLUME_HEIGHT + AXIS;
  const inner = width - GUTTER - RIGHT;
  const step = inner / series.length;
  const middle = (n) => GUTTER + step * (n + 0.5);
  const chart = drawn("svg", {
    class: "chart live-chart", role: "img", "aria-label": alt,
    viewBox: `0 0 ${width} ${height}`, width, height,
  });
  const seen = series.flatMap((slot) => [slot.rate, slot.high]).filter((value) => value !== null);
  let low = Math.min(...seen, 1);
  let high = Math.max(...seen, 0);
  low = Math.max(0, Math.min(low, high - LEAST_SPAN));
  high = Math.min(1, Math.max(high, low + LEAST_SPAN));
  const shares = ticksOf(low, high, 4).filter((tick) => tick <= 1 + 1e-9);
  const top = Math.max(shares.at(-1), high);
  const y = (value) => TOP + RATE_HEIGHT * (1 - (value - shares[0]) / (top - shares[0]));
  for (const tick of seen.length ? shares : []) grid(chart, y(tick), width, format.percent(tick, 0 + (shares[1] - shares[0] < 0.01)));
  const pointsOf = (key) =>
    series.map((slot, n) => (slot[key] === null ? null : [middle(n), y(slot[key])]));
  const above = pointsOf("high");
  for (const run of runs(series.map((slot, n) => (slot.rate === null ? null : n)))) {
    const upper = run.map((n) => above[n]);
    const lower = run.map((n) => [middle(n), y(series[n].rate)]);
    chart.append(drawn("path", { class: "bounds", d: `${path([...upper, ...lower.reverse()])}Z` }));
  }
  for (const run of runs(pointsOf("rate"))) {
    chart.append(
      run.length > 1
        ? drawn("path", { class: "line", d: path(run) })
        : drawn("circle", { class: "dot", cx: run[0][0], cy: run[0][1], r: 2.5 }),
    );
  }
  volumes(chart, series, { middle, step, width, format });
  labels(chart, series, { middle, inner, height });
  return chart;
}

function grid(chart, at, width, text) {
  chart.append(
    drawn("line", { class: "grid", x1: GUTTER, x2: width - RIGHT, y1: at, y2: at }),
    drawn("text", { class: "tick", x: GUTTER - 6, y: at + 4, "text-anchor": "end" }, text),
  );
}

function volumes(chart, series, { middle, step, width, format }) {
  const base = TOP + RATE_HEIGHT + GAP + VOLUME_HEIGHT;
  const most = Math.max(...series.map((slot) => slot.good + slot.bad), 1);
  const ticks = ticksOf(0, most, 2);
  const scale = VOLUME_HEIGHT / ticks.at(-1);
  for (const tick of ticks) {
    if (Number.isInteger(tick)) grid(chart, base - tick * scale, width, format.count(tick));
  }
  const bar = Math.max(step * 0.72, 0.8);
  series.forEach((slot, n) => {
    const [good, bad] = [slot.good * scale, slot.bad * scale];
    const x = middle(n) - bar / 2;
    chart.append(drawn("rect", { class: "good", x, width: bar, y: base - good, height: good }));
    chart.append(drawn("rect", { class: "bad", x, width: bar, y: base - good - bad, height: bad }));
  });
}

function labels(chart, series, { middle, inner, height }) {
  const every = Math.max(1, Math.ceil(series.length / Math.max(1, Math.floor(inner / LABEL_WIDTH))));
  series.forEach((slot, n) => {
    if (n % every) return;
    const attributes = { class: "tick", x: middle(n), y: height - 6, "text-anchor": "middle" };
    chart.append(drawn("text", attributes, slot.label));
  });
}
