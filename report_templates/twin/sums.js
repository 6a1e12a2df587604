/**
 * Figures of the messages that a filter lets through, by the formulae of the pipeline:
 * sms_etl/metrics/rate.py, summary.py, histogram.py and survival.py.
 *
 * A filter is {first, last, chosen, reasons}: days from 0, sets of places of `cube.values`
 * by dimension, and a set of reasons; a dimension without a set is not filtered.
 */

const Z_95 = 1.959963984540054;
const SMALL_SAMPLE = 30;
const COMPLETE = 0.99;
const MILLI = 1000;
const ROUNDING = 1e-12;
const PERCENTS = [50, 90, 95, 99];
const CLASSES = ["delivered", "failed", "rejected", "unknown", "pending"];
const UNDELIVERED = new Set(["failed", "rejected", "unknown"]);
const [MEASURED, AT_MOST, ENDED, WAITING] = [0, 1, 2, 3];

/** Wilson's interval of a share; null for no trials. */
export function wilson(successes, trials) {
  if (trials === 0) return null;
  const share = successes / trials;
  const scale = 1 + (Z_95 * Z_95) / trials;
  const centre = (share + (Z_95 * Z_95) / (2 * trials)) / scale;
  const spread = (share * (1 - share)) / trials + (Z_95 * Z_95) / (4 * trials * trials);
  const half = (Z_95 * Math.sqrt(spread)) / scale;
  return {
    low: Math.max(0, Math.min(share, centre - half)),
    high: Math.min(1, Math.max(share, centre + half)),
  };
}

/** Whole division rounded to nearest, ties to even; exact beyond what numbers can hold. */
export function divideHalfEven(numerator, denominator) {
  const [top, below] = [BigInt(numerator), BigInt(denominator)];
  const whole = top / below;
  const twice = 2n * (top % below);
  const up = twice > below || (twice === below && whole % 2n === 1n);
  return Number(up ? whole + 1n : whole);
}

class Tally {
  constructor() {
    for (const name of CLASSES) this[name] = 0;
    this.parts = this.withParts = this.partly = this.byOperator = 0;
    this.expected = 0;
    this.young = this.unjudged = false;
    this.withReason = 0;
    this.money = new Map();
    this.reasons = new Map();
    this.times = [MEASURED, AT_MOST, ENDED, WAITING].map(() => new Map());
  }

  count(counts, row, state, reasonChosen) {
    const messages = counts.messages[row];
    this[state.status_class] += messages;
    this.parts += counts.parts[row];
    this.withParts += counts.messages_with_parts[row];
    this.partly += counts.partly_delivered[row];
    if (state.status_class === "delivered" && state.by_operator) this.byOperator += messages;
    this.expected += counts.expected_milli[row];
    this.young ||= state.young;
    this.unjudged ||= state.unjudged;
    if (reasonChosen) this.withReason += messages;
    if (UNDELIVERED.has(state.status_class)) {
      const reason = state.reason ?? "not_stated";
      this.reasons.set(reason, (this.reasons.get(reason) ?? 0) + messages);
    }
    if (state.currency !== null) this.pay(counts, row, state);
  }

  pay(counts, row, state) {
    const known = this.money.get(state.currency);
    const sums = known ?? { spent: 0, wasted: 0, messages: 0, delivered: 0 };
    const cost = counts.cost_micro[row];
    sums.spent += cost;
    sums.messages += counts.messages_with_cost[row];
    if (UNDELIVERED.has(state.status_class)) sums.wasted += cost;
    if (state.status_class === "delivered") sums.delivered += counts.messages_with_cost[row];
    this.money.set(state.currency, sums);
  }

  time(kind, bucket, messages) {
    const histogram = this.times[kind];
    histogram.set(bucket, (histogram.get(bucket) ?? 0) + messages);
  }
}

/** Which groups of dimensions a filter lets through. */
function passing(cube, filter) {
  const dimensions = Object.keys(cube.groups);
  const size = cube.groups[dimensions[0]].length;
  const passes = new Uint8Array(size).fill(1);
  for (const [dimension, places] of Object.entries(filter.chosen)) {
    if (!places) continue;
    const column = cube.groups[dimension];
    for (let group = 0; group < size; group++) {
      if (!places.has(column[group])) passes[group] = 0;
    }
  }
  return passes;
}

/** Totals of everything let through, of every value of every dimension, and of every day. */
export function totalsBy(cube, filter) {
  const passes = passing(cube, filter);
  const dimensions = Object.keys(cube.groups);
  const whole = new Tally();
  const by = Object.fromEntries(dimensions.map((dimension) => [dimension, new Map()]));
  const days = Array.from({ length: filter.last - filter.first + 1 }, () => new Tally());
  const tallyOf = (tallies, place) => {
    if (!tallies.has(place)) tallies.set(place, new Tally());
    return tallies.get(place);
  };
  const { counts, times, states } = cube;
  const chosenReason = states.map(
    (state) =>
      filter.reasons !== null &&
      UNDELIVERED.has(state.status_class) &&
      filter.reasons.has(state.reason ?? "not_stated"),
  );
  for (let row = 0; row < counts.group.length; row++) {
    const [group, day] = [counts.group[row], counts.day[row]];
    if (!passes[group] || day < filter.first || day > filter.last) continue;
    const state = states[counts.state[row]];
    const chosen = chosenReason[counts.state[row]];
    whole.count(counts, row, state, chosen);
    days[day - filter.first].count(counts, row, state, chosen);
    for (const dimension of dimensions) {
      tallyOf(by[dimension], cube.groups[dimension][group]).count(counts, row, state, chosen);
    }
  }
  for (let row = 0; row < times.group.length; row++) {
    const [group, day] = [times.group[row], times.day[row]];
    if (!passes[group] || day < filter.first || day > filter.last) continue;
    const [kind, bucket, messages] = [times.kind[row], times.bucket[row], times.messages[row]];
    whole.time(kind, bucket, messages);
    for (const dimension of dimensions) {
      tallyOf(by[dimension], cube.groups[dimension][group]).time(kind, bucket, messages);
    }
  }
  const told = (tally) => totalsOf(tally, cube);
  return {
    whole: told(whole),
    days: days.map(told),
    by: Object.fromEntries(
      dimensions.map((dimension) => [
        dimension,
        [...by[dimension]].map(([place, tally]) => ({ place, totals: told(tally) })),
      ]),
    ),
  };
}

function rateOf(numerator, denominator) {
  return {
    value: denominator ? numerator / denominator : null,
    numerator,
    denominator,
    low: null,
    high: null,
    interval: wilson(numerator, denominator),
    small: denominator < SMALL_SAMPLE,
  };
}

function totalsOf(tally, cube) {
  const final = tally.delivered + tally.failed + tally.rejected;
  const submitted = final + tally.unknown + tally.pending;
  const undelivered = tally.failed + tally.rejected + tally.unknown;
  const delivery = rateOf(tally.delivered, submitted);
  if (submitted) {
    delivery.low = tally.delivered / submitted;
    delivery.high = (tally.delivered + tally.unknown + tally.pending) / submitted;
  }
  delivery.coverage = submitted ? final / submitted : null;
  delivery.mature = mature(tally, submitted);
  return {
    submitted,
    ...Object.fromEntries(CLASSES.map((name) => [name, tally[name]])),
    undelivered,
    parts: tally.parts,
    messages_with_parts: tally.withParts,
    partly_delivered: tally.partly,
    operator_receipts: tally.byOperator,
    delivery,
    coverage: rateOf(final, submitted),
    withReasons: rateOf(tally.withReason, submitted),
    latency: latencyOf(tally, cube),
    costs: costsOf(tally),
    reasons: [...tally.reasons]
      .map(([reason, messages]) => ({ reason, share: rateOf(messages, undelivered) }))
      .sort((a, b) => b.share.numerator - a.share.numerator || (a.reason < b.reason ? -1 : 1)),
  };
}

/** Whether no more receipts are expected: nothing waits, or silence or age says so. */
function mature(tally, submitted) {
  if (tally.pending === 0 || submitted === 0) return true;
  if (!tally.unjudged) {
    const known = (MILLI * submitted - tally.expected) / (MILLI * submitted);
    if (Math.round(known * 1e4) / 1e4 >= COMPLETE) return true;
  }
  return !tally.young;
}

function costsOf(tally) {
  return [...tally.money]
    .filter(([, sums]) => sums.messages > 0)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([currency, sums]) => ({
      currency,
      spent_micro: sums.spent,
      spent_on_undelivered_micro: sums.wasted,
      per_delivered_micro: sums.delivered ? divideHalfEven(sums.spent, sums.delivered) : null,
      messages_with_cost: sums.messages,
    }));
}

/** Seconds that stand for a bucket of the histogram. */
function secondsOf(bucket, cube) {
  if (bucket <= 0) return 0;
  return (cube.floor * cube.gamma ** bucket * 2) / (1 + cube.gamma);
}

function latencyOf(tally, cube) {
  const [measured, atMost, ended, waiting] = tally.times;
  const buckets = [...new Set(tally.times.flatMap((histogram) => [...histogram.keys()]))];
  buckets.sort((a, b) => a - b);
  const rows = buckets.map((bucket) => {
    const arrived = (measured.get(bucket) ?? 0) + (atMost.get(bucket) ?? 0);
    const over = arrived + (ended.get(bucket) ?? 0);
    return { bucket, arrived, over, all: over + (waiting.get(bucket) ?? 0) };
  });
  const messages = rows.reduce((sum, row) => sum + row.arrived, 0);
  const latency = { messages, atMost: atMost.size > 0, waiting: tally.pending };
  for (const percent of PERCENTS) {
    const place = quantile(rows, messages, percent);
    const among = quantileOfSubmitted(rows, messages, percent);
    latency[`p${percent}`] = place === null ? null : secondsOf(place, cube);
    latency[`all_p${percent}`] = among === null ? null : secondsOf(among, cube);
  }
  return latency;
}

/** Bucket of rank ceil(n * percent / 100) of the delivered messages. */
function quantile(rows, messages, percent) {
  let reached = 0;
  for (const row of rows) {
    reached += row.arrived;
    if (row.arrived && reached * 100 >= messages * percent) return row.bucket;
  }
  return null;
}

/** First bucket by which a percentage of all submitted was delivered (Aalen-Johansen). */
function quantileOfSubmitted(rows, messages, percent) {
  if (!messages) return null;
  let atRisk = rows.reduce((sum, row) => sum + row.all, 0);
  let alive = 1;
  let delivered = 0;
  for (const row of rows) {
    delivered += (alive * row.arrived) / atRisk;
    alive *= 1 - row.over / atRisk;
    atRisk -= row.all;
    if (delivered >= percent / 100 - ROUNDING) return row.bucket;
  }
  return null;
}
