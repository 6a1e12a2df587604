/** Starts the page: unpacks the cube, puts up the filters, and swaps the report for the live view. */

import { readCube } from "./cube.js";
import { element } from "./dom.js";
import { filterBar } from "./filters.js";
import { formatter } from "./format.js";
import { liveView } from "./live.js";
import { totalsBy } from "./sums.js";
import { makeSortable } from "./tables.js";

const REDRAW_AFTER_MS = 150;

/** Sections by what happens to them: replaced, kept, or hidden and named because they cannot follow. */
function sectionsBy(follows) {
  return [...document.querySelectorAll(`[data-follows="${follows}"]`)];
}

function namesOf(sections) {
  return sections.flatMap((section) => [...section.querySelectorAll("h2")].map((head) => head.textContent.trim()));
}

async function start() {
  const head = JSON.parse(document.getElementById("twin-head").textContent);
  const cube = await readCube(head, document.getElementById("twin-cube").textContent);
  const { texts } = head;
  const format = formatter(head.shapes, head.first_day);
  const place = document.getElementById("twin");
  const live = element("div", { class: "live", hidden: true });
  const told = element("p", { class: "unseen", role: "status" });
  const still = sectionsBy("no");
  const names = namesOf(still);
  const frozen = [...sectionsBy("replaced"), ...still, ...document.querySelectorAll(".headline, .first-step")];
  const unfollowed = element("p", { class: "note unfollowed" }, `${texts.unfollowed} ${names.join("; ")}.`);
  const everything = {
    first: 0, last: head.days - 1, reasons: null, chosen: {},
  };
  const reasons = totalsBy(cube, everything).whole.reasons.map(({ reason }) => reason);
  let now = { filter: everything, on: false };

  function draw() {
    for (const section of frozen) section.hidden = now.on;
    place.classList.toggle("on", now.on);
    live.hidden = !now.on;
    if (!now.on) {
      live.replaceChildren();
      told.textContent = "";
      return;
    }
    const totals = totalsBy(cube, now.filter);
    const width = Math.max(280, Math.round(place.clientWidth));
    const view = liveView({ cube, filter: now.filter, totals, format, texts, width });
    live.replaceChildren(...view, ...(names.length ? [unfollowed] : []));
    told.textContent = view[0].textContent;
  }

  const { bar } = filterBar(cube, reasons, format, texts, (filter, on) => {
    now = { filter, on };
    draw();
  });
  place.append(bar, told, live);
  place.hidden = false;
  let waiting = 0;
  let drawnAt = place.clientWidth;
  window.addEventListener("resize", () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => {
      if (place.clientWidth !== drawnAt) draw();
      drawnAt = place.clientWidth;
    }, REDRAW_AFTER_MS);
  });
  // For tests and the curious: the sums behind the page.
  window.report = Object.freeze({ cube, totals: (filter) => totalsBy(cube, { ...everything, ...filter }) });
}

for (const table of document.querySelectorAll("table[data-sortable]")) {
  makeSortable(table, document.documentElement.lang);
}
if (document.getElementById("twin-cube") && "DecompressionStream" in window) {
  start().then(() => document.documentElement.setAttribute("data-ready", ""));
}
