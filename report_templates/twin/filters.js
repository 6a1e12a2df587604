/** The filters: days, and values of every dimension and reason, as native controls. */

import { element } from "./dom.js";

const NARROW = "(max-width: 640px)";

/** Choices of one kind: a disclosure with a box for each; none or all ticked means no filter. */
function choices(name, label, options, texts, changed) {
  const boxes = options.map(({ value, text }) =>
    element("label", {}, element("input", { type: "checkbox", name, value, onchange: () => told() }), text),
  );
  const summary = element("summary", {});
  const box = element("details", { class: "choice", name: "filter" }, summary,
    element("fieldset", {}, element("legend", { class: "unseen" }, label), boxes));
  const inputs = boxes.map((one) => one.firstChild);
  const ticked = () => inputs.filter((input) => input.checked);

  function title() {
    const chosen = ticked();
    const some = chosen.length && chosen.length < inputs.length;
    const first = some ? chosen[0].parentElement.textContent : texts.all;
    const more = some && chosen.length > 1 ? ` +${chosen.length - 1}` : "";
    summary.replaceChildren(element("span", { class: "of" }, `${label}: `), element("b", {}, first + more));
    box.classList.toggle("on", Boolean(some));
  }
  function told() {
    title();
    changed();
  }
  box.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !box.open) return;
    box.open = false;
    summary.focus();
  });
  document.addEventListener("click", (event) => {
    if (!box.contains(event.target)) box.open = false;
  });
  title();
  return {
    box,
    chosen: () => {
      const found = ticked();
      const some = found.length && found.length < inputs.length;
      return some ? new Set(found.map((input) => input.value)) : null;
    },
    clear: () => {
      for (const input of inputs) input.checked = false;
      title();
    },
  };
}

function dayInput(label, value, days, format, changed) {
  const input = element("input", {
    type: "date", value: format.isoDay(value), min: format.isoDay(0),
    max: format.isoDay(days - 1), required: true, onchange: changed,
  });
  return { input, box: element("label", { class: "day" }, element("span", {}, label), input) };
}

/**
 * The bar of filters. `changed` is called with a filter as in sums.js and whether it filters
 * anything at all.
 */
export function filterBar(cube, reasons, format, texts, changed) {
  const lists = Object.entries(cube.labels)
    .filter(([, labels]) => labels.length > 1)
    .map(([name, labels]) => {
      const options = labels.map((text, place) => ({ value: String(place), text }));
      options.sort((a, b) => a.text.localeCompare(b.text, texts.language));
      return [name, choices(name, texts.dimensions[name], options, texts, tell)];
    });
  const named = reasons.map((reason) => ({ value: reason, text: texts.reasons[reason] ?? reason }));
  const causes = choices("reason", texts.dimensions.reason, named, texts, tell);
  const from = dayInput(texts.from, 0, cube.days, format, tell);
  const to = dayInput(texts.to, cube.days - 1, cube.days, format, tell);
  const clear = element("button", { type: "button", class: "clear", onclick: reset, hidden: true }, texts.clear);

  function dayOf({ input }, otherwise) {
    const place = format.placeOf(input.value);
    return input.value && place >= 0 && place < cube.days ? place : otherwise;
  }
  function current() {
    const [first, last] = [dayOf(from, 0), dayOf(to, cube.days - 1)];
    const chosen = {};
    for (const [name, list] of lists) {
      const places = list.chosen();
      chosen[name] = places && new Set([...places].map(Number));
    }
    return { first: Math.min(first, last), last: Math.max(first, last), chosen, reasons: causes.chosen() };
  }
  function tell() {
    const filter = current();
    const on = filter.first > 0 || filter.last < cube.days - 1 || filter.reasons !== null ||
      Object.values(filter.chosen).some(Boolean);
    clear.hidden = !on;
    changed(filter, on);
  }
  function reset() {
    for (const [, list] of lists) list.clear();
    causes.clear();
    from.input.value = format.isoDay(0);
    to.input.value = format.isoDay(cube.days - 1);
    tell();
    from.input.focus();
  }

  const bar = element("form", { class: "filters", role: "search", "aria-label": texts.filters },
    cube.days > 1 ? [from.box, to.box] : [], lists.map(([, list]) => list.box),
    named.length > 1 ? causes.box : null, clear);
  bar.addEventListener("submit", (event) => event.preventDefault());
  return { bar: folded(bar, texts), tell };
}

/** The bar behind one button where the screen is narrow: there it would push the report off it. */
function folded(bar, texts) {
  const panel = element("details", { class: "filter-panel" }, element("summary", {}, texts.filters), bar);
  const narrow = matchMedia(NARROW);
  const fit = () => { panel.open = !narrow.matches; };
  narrow.addEventListener("change", fit);
  fit();
  return panel;
}
