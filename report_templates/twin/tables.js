/** Tables that can be ordered by any column, with the mouse, by touch or with the keyboard. */

import { element } from "./dom.js";

const NUMBERS = /^-?\d+(\.\d+)?(e[+-]?\d+)?$/i;

/** What a cell is ordered by: its `data-sort`, or its text. */
function keyOf(row, column) {
  const cell = row.cells[column];
  const given = cell.dataset.sort ?? cell.textContent.trim();
  return NUMBERS.test(given) ? Number(given) : given;
}

/** Numbers before texts, nothing last whichever way. */
function compared(a, b, descending, collator) {
  if (a === "" || b === "") return (a === "") - (b === "");
  if (typeof a === "number" && typeof b === "number") return descending ? b - a : a - b;
  const order = collator.compare(String(a), String(b));
  return descending ? -order : order;
}

/** Make every heading of a table a button that orders the rows; a row of totals stays last. */
export function makeSortable(table, language) {
  const collator = new Intl.Collator(language, { numeric: true });
  const heads = [...table.tHead.rows[0].cells];
  const body = table.tBodies[0];
  heads.forEach((head, column) => {
    if (!head.textContent.trim() || head.dataset.sort === "no") return;
    const button = element("button", { type: "button", class: "sort" }, ...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const before = head.getAttribute("aria-sort");
      const numeric = [...body.rows].some((row) => typeof keyOf(row, column) === "number");
      const descending = before ? before === "ascending" : numeric;
      const rows = [...body.rows].filter((row) => !row.classList.contains("total"));
      const last = [...body.rows].filter((row) => row.classList.contains("total"));
      const keyed = rows.map((row) => [keyOf(row, column), row]);
      keyed.sort(([a], [b]) => compared(a, b, descending, collator));
      body.append(...keyed.map(([, row]) => row), ...last);
      for (const other of heads) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", descending ? "descending" : "ascending");
    });
  });
}
