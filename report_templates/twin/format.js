/**
 * Numbers, money, times and days as the report prints them (sms_etl/reports/language.py), from
 * the shapes of the reader's language that the page carries.
 */

const MICRO = 1e6;
const MILLION = 1e6;
const MINUTE = 60;
const HOUR = 3600;
const DAY_MS = 86400000;
const DASH = "—";

export function formatter(shapes, firstDay) {
  const start = Date.parse(`${firstDay}T00:00:00Z`);
  const put = (pattern, ...values) => values.reduce((text, value) => text.replace("{}", value), pattern);

  function decimal(value, digits = 0) {
    const [whole, rest] = Math.abs(value).toFixed(digits).split(".");
    const grouped = whole.replace(/\B(?=(\d{3})+$)/g, shapes.group);
    const sign = value < 0 && Number(Math.abs(value).toFixed(digits)) ? "\u2212" : "";
    return sign + grouped + (rest ? shapes.decimal + rest : "");
  }

  const count = (value) => decimal(value);

  /** Only 0 and 1 print as 0 and 100 percent. */
  function percent(share, digits = 1) {
    const step = 10 ** -(digits + 2);
    const shown = share > 0 && share < 1 ? Math.min(Math.max(share, step), 1 - step) : share;
    return put(shapes.percent, decimal(shown * 100, digits));
  }

  function money(micro, currency) {
    const amount = micro / MICRO;
    if (Math.abs(amount) >= MILLION) {
      return put(shapes.currencies[currency], put(shapes.million, decimal(amount / MILLION, 2)));
    }
    return put(shapes.currencies[currency], decimal(amount, Math.abs(amount) >= 100 ? 0 : 2));
  }

  function price(micro, currency) {
    const amount = micro / MICRO;
    const exponent = amount ? Math.floor(Math.log10(Math.abs(amount))) : 0;
    return put(shapes.currencies[currency], decimal(amount, Math.max(2, 2 - exponent)));
  }

  function pair(large, rest, first, second) {
    const big = put(shapes[first], count(large));
    return rest ? `${big} ${put(shapes[second], count(rest))}` : big;
  }

  function duration(seconds) {
    if (seconds === null) return DASH;
    if (seconds < MINUTE) {
      const digits = seconds < 9.95 ? 1 : 0;
      if (Number(seconds.toFixed(digits)) < MINUTE) return put(shapes.seconds, decimal(seconds, digits));
    }
    const whole = Math.round(seconds);
    if (whole < HOUR) return pair(Math.floor(whole / MINUTE), whole % MINUTE, "minutes", "seconds");
    const minutes = Math.round(seconds / MINUTE);
    return pair(Math.floor(minutes / 60), minutes % 60, "hours", "minutes");
  }

  /** A day of the report by its place from 0, as `1 Oct`. */
  function day(place) {
    const date = new Date(start + place * DAY_MS);
    return put(shapes.months[date.getUTCMonth()], date.getUTCDate());
  }

  /** A day of the report as an input of type date has it. */
  const isoDay = (place) =>
    new Date(start + place * DAY_MS).toISOString().slice(0, 10);

  const placeOf = (isoText) =>
    Math.round((Date.parse(`${isoText}T00:00:00Z`) - start) / DAY_MS);

  /** `96.5%`, or nothing for few messages; `k of n` always. */
  const share = (rate) => (rate.value === null || rate.small ? "" : percent(rate.value));
  const counts = (rate) =>
    rate.value === null ? DASH : put(shapes.of, count(rate.numerator), count(rate.denominator));

  return { of: shapes.of, put, decimal, count, percent, money, price, duration, day, isoDay, placeOf, share, counts };
}
