// Which rows are shown: the same rules as in choosing.py.

import { backends, rows } from "./figures.js";
import { NOTHING } from "./words.js";

const $ = (id) => document.getElementById(id);

const KINDS = {
  split: (row) => "split" in row.dataset,
  errors: (row) => row.querySelector(".warn, .bad") !== null,
  traffic: (row) => rates(row).some((text) => !["", "0", NOTHING].includes(text)),
};

const rates = (row) => [...row.querySelectorAll("td.n")].slice(0, backends.length).map((cell) => cell.textContent);

// With onlyAdd, rows may come while the figures change, but none goes away from under a finger.
export function filter({ onlyAdd = false } = {}) {
  if (!$("filter")) return;
  const wanted = $("q").value.toLowerCase().split(/\s+/).filter(Boolean);
  const kind = KINDS[$("show").value] ?? (() => true);
  let count = 0;
  for (const { row } of rows.values()) {
    const fits = wanted.every((word) => row.dataset.find.includes(word)) && kind(row);
    if (row.hidden === fits && (fits || !onlyAdd)) row.hidden = !fits;
    count += row.hidden ? 0 : 1;
  }
  const text = `${count} of ${rows.size}`;
  if ($("shown").textContent !== text) $("shown").textContent = text;
}
