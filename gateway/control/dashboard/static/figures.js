// The live figures, written where the server has written those of the page's loading. What is here follows overview.py.

import * as words from "./words.js";

export let backends = [];
export let rows = new Map();
let lanes = new Map();
let limits = new Map();

const lane = (route, backend) => `${backend} ${route}`;

// Finds every place that figures are written to, once, so that a second's news is no search through 300 rows.
export function index() {
  const table = document.querySelector("table.routes");
  backends = table ? JSON.parse(table.dataset.backends) : [];
  rows = new Map();
  lanes = new Map();
  for (const row of table?.tBodies[0].rows ?? []) {
    rows.set(row.dataset.route, { row, seen: row.querySelector(".seen"), limit: row.querySelector(".limit span") });
    const cells = [...row.querySelectorAll("td.n > span")];
    backends.forEach((backend, place) => {
      remember(lane(row.dataset.route, backend), cells.filter((_, at) => at % backends.length === place));
    });
  }
  limits = new Map();
  for (const row of document.querySelectorAll("[data-backend]")) {
    limits.set(row.dataset.backend, row.querySelector(".limit span"));
    remember(lane("", row.dataset.backend), [...row.querySelectorAll("td.n > span")]);
  }
}

function remember(name, cells) {
  lanes.set(name, { cells, texts: cells.map((cell) => cell.textContent), level: null });
}

export function figures(measured, weight) {
  if (!measured) return Array(5).fill(weight ? words.NOTHING : "");
  const idle = measured.rate === 0 && measured.error_ratio === 0 && measured.p50 === null;
  if (idle && measured.in_flight === 0 && !weight) return Array(5).fill("");
  return [
    words.rate(measured.rate),
    String(measured.in_flight),
    idle ? words.NOTHING : words.ratio(measured.error_ratio),
    words.seconds(measured.p50),
    words.seconds(measured.p95),
  ];
}

export function level(measured) {
  const ratio = measured?.error_ratio ?? 0;
  return ratio >= 0.01 ? "bad" : ratio > 0 ? "warn" : "";
}

export function seen(to, observed) {
  const split = Object.keys(to).filter((name) => to[name] > 0);
  if (split.length < 2 || !Object.values(observed).some(Boolean)) return "";
  return `seen ${split.map((name) => (observed[name] ?? 0).toFixed(1)).join(" / ")}`;
}

// What has not changed is not touched: then the browser has nothing to lay out and nothing to paint.
function write(name, measured, weight) {
  const known = lanes.get(name);
  if (!known) return;
  figures(measured, weight).forEach((text, at) => {
    if (known.texts[at] !== text) known.cells[at].textContent = known.texts[at] = text;
  });
  const mark = level(measured);
  if (known.level !== mark) {
    known.level = mark;
    const errors = known.cells[2].parentElement.classList;
    errors.toggle("bad", mark === "bad");
    errors.toggle("warn", mark === "warn");
  }
}

function put(place, text) {
  if (place && place.textContent !== text) place.textContent = text;
}

function writeTraffic(traffic) {
  let start = 0;
  const names = Object.keys(traffic).length ? backends : [];
  const pieces = document.querySelectorAll("#traffic rect");
  names.forEach((name, place) => {
    const percent = 100 * (traffic[name] ?? 0);
    pieces[place]?.setAttribute("x", `${start}%`);
    pieces[place]?.setAttribute("width", `${percent}%`);
    start += percent;
  });
  for (const place of document.querySelectorAll("[data-share]")) {
    put(place, words.ratio(traffic[place.dataset.share] ?? 0));
  }
}

export function show(status) {
  for (const route of status.routes) {
    for (const backend of backends) write(lane(route.label, backend), route.backends[backend], route.to[backend] ?? 0);
    const row = rows.get(route.label);
    put(row?.seen, seen(route.to, route.observed));
    if (route.limit) put(row?.limit, words.limit(route.limit));
  }
  for (const backend of status.backends) {
    write(lane("", backend.name), backend, 100);
    if (backend.limit) put(limits.get(backend.name), words.limit(backend.limit));
  }
  put(document.querySelector("#refused b"), words.refusals(status.refused));
  writeTraffic(status.migration.traffic);
}
