// Keeps the page up to date: figures by event stream, everything else by fetching the page again and exchanging what
// has a data-swap. The pages work without this script; then they are as old as their loading.

import * as words from "./words.js";

const CHARTS_EVERY = 10_000;
const RETRY_AFTER = 2_000;
// The stream tells something every 15 seconds at least. Longer silence is a connection that has died without a word.
const SILENCE = 20_000;
const PREVIEW_AFTER = 200;

const $ = (id) => document.getElementById(id);

// --- Figures ---------------------------------------------------------------------------------------------------------

let backends = [];
let rows = new Map();
let lanes = new Map();
let latest = null;
let heard = null;

const lane = (route, backend) => `${backend} ${route}`;

// Finds every place that figures are written to, once, so that a second's news is no search through 300 rows.
function index() {
  const table = document.querySelector("table.routes");
  backends = table ? JSON.parse(table.dataset.backends) : [];
  rows = new Map();
  lanes = new Map();
  for (const row of table?.tBodies[0].rows ?? []) {
    rows.set(row.dataset.route, { row, seen: row.querySelector(".seen") });
    const cells = [...row.querySelectorAll("td.n > span")];
    backends.forEach((backend, place) => {
      remember(lane(row.dataset.route, backend), cells.filter((_, at) => at % backends.length === place));
    });
  }
  for (const row of document.querySelectorAll("[data-backend]")) {
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
    const text = words.ratio(traffic[place.dataset.share] ?? 0);
    if (place.textContent !== text) place.textContent = text;
  }
}

export function show(status) {
  for (const route of status.routes) {
    for (const backend of backends) write(lane(route.label, backend), route.backends[backend], route.to[backend] ?? 0);
    const place = rows.get(route.label)?.seen;
    const text = seen(route.to, route.observed);
    if (place && place.textContent !== text) place.textContent = text;
  }
  for (const backend of status.backends) write(lane("", backend.name), backend, 100);
  writeTraffic(status.migration.traffic);
  if ($("show")?.value) filter({ onlyAdd: true });
}

// --- The page itself -------------------------------------------------------------------------------------------------

// What the page was made of, as far as figures do not change it. The server writes the same into data-made.
export function madeOf(status) {
  const workers = status.workers.map((each) => `${each.number} ${each.pid} ${each.state} ${each.version}`);
  return [status.config.version, status.config.digest, ...status.config.problems, ...workers].join("\n");
}

let swapping = false;
let again = false;

async function refresh() {
  if (swapping) {
    again = true;
    return;
  }
  swapping = true;
  try {
    do {
      again = false;
      await exchange(await page(location.href));
    } while (again);
  } catch {
    // The line on top says that the connection is lost, and the next status tries once more.
  } finally {
    swapping = false;
  }
}

async function page(url, signal) {
  const response = await fetch(url, { headers: { accept: "text/html" }, signal });
  if (response.redirected && new URL(response.url).pathname === "/login") location.reload();
  if (response.status >= 500) throw new Error(response.statusText);
  return new DOMParser().parseFromString(await response.text(), "text/html");
}

async function exchange(fresh) {
  for (const old of document.querySelectorAll("[data-swap]")) {
    const next = fresh.getElementById(old.id);
    if (next) replace(old, next);
  }
  document.title = fresh.title;
  settle();
}

// The focus stays where it is: on the same control of the new part.
function replace(old, next) {
  const active = old.contains(document.activeElement) ? document.activeElement : null;
  const name = (element) => element.id || element.getAttribute("aria-label") || element.textContent;
  old.replaceWith(document.adoptNode(next));
  if (!active) return;
  [...next.querySelectorAll(active.tagName)].find((each) => name(each) === name(active))?.focus({ preventScroll: true });
}

function settle() {
  index();
  filter({});
  localTimes();
}

// Times come in UTC; who reads them lives somewhere.
function localTimes() {
  for (const time of document.querySelectorAll("time")) {
    const at = new Date(time.dateTime);
    const today = at.toDateString() === new Date().toDateString();
    time.title = at.toISOString();
    time.textContent = today ? at.toLocaleTimeString() : at.toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
  }
}

async function charts() {
  const old = $("charts");
  if (!old || document.hidden) return;
  const address = `/charts?${new URLSearchParams({ route: old.dataset.route })}`;
  try {
    const next = (await page(address)).getElementById("charts");
    if (next) replace($("charts"), next);
  } catch {
    // The line on top says that the connection is lost.
  }
}

// --- The event stream ------------------------------------------------------------------------------------------------

let stream = null;
let silence = 0;
let retry = 0;

function connect() {
  clearTimeout(retry);
  stream?.close();
  stream = new EventSource("/api/v1/events");
  stream.addEventListener("status", (event) => {
    heard = new Date();
    latest = JSON.parse(event.data);
    listening();
    paint();
  });
  stream.onerror = lost;
  expect();
}

function expect() {
  clearTimeout(silence);
  silence = setTimeout(lost, SILENCE);
}

function listening() {
  expect();
  const connection = $("connection");
  if (connection.textContent === "Live") return;
  document.body.classList.remove("lost");
  connection.classList.add("on");
  connection.textContent = "Live";
}

function lost() {
  clearTimeout(silence);
  clearTimeout(retry);
  stream?.close();
  // Fetching the page first: it is another one now if the gateway has been restarted, or wants a login again.
  retry = setTimeout(() => refresh().then(connect), RETRY_AFTER);
  document.body.classList.add("lost");
  const connection = $("connection");
  connection.classList.remove("on");
  const text = heard ? `Connection lost. Figures of ${heard.toLocaleTimeString()}; trying again…` : "No connection; trying again…";
  if (connection.textContent !== text) connection.textContent = text;
}

// In a tab that nobody sees, nothing is painted.
function paint() {
  if (!latest || document.hidden) return;
  const made = $("config")?.dataset.made;
  if (made !== undefined && made !== madeOf(latest)) refresh().then(preview);
  show(latest);
}

// --- The filter ------------------------------------------------------------------------------------------------------

const KINDS = {
  split: (row) => "split" in row.dataset,
  errors: (row) => row.querySelector(".warn, .bad") !== null,
  traffic: (row) => [...row.querySelectorAll("td.n")].slice(0, backends.length).some((cell) => !["", "0", words.NOTHING].includes(cell.textContent)),
};

// onlyAdd: rows may come while figures change, but none goes away from under a finger.
function filter({ onlyAdd = false }) {
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

// --- The split's form ------------------------------------------------------------------------------------------------

let previewing = null;
let later = 0;

function sync(source) {
  const pair = source.closest(".weight");
  for (const input of pair.querySelectorAll("input")) if (input !== source) input.value = source.value;
  const given = [...document.querySelectorAll('#split input[type="number"]')].reduce((sum, input) => sum + Number(input.value), 0);
  const rest = $("rest");
  if (rest) rest.textContent = given > 100 ? "less than nothing" : `${words.percent(100 - given)} %`;
}

function weightsChanged() {
  // What is shown is not what would be done any more.
  $("plan").classList.add("waiting");
  for (const button of $("plan").querySelectorAll("button")) button.disabled = true;
  clearTimeout(later);
  later = setTimeout(preview, PREVIEW_AFTER);
}

async function preview() {
  const form = $("split");
  if (!form) return;
  clearTimeout(later);
  previewing?.abort();
  previewing = new AbortController();
  const asked = new URLSearchParams(new FormData(form));
  asked.delete("reason");
  asked.delete("user");
  try {
    const next = (await page(`/route?${asked}`, previewing.signal)).getElementById("plan");
    if (next) replace($("plan"), next);
  } catch (error) {
    if (error.name !== "AbortError") $("plan").textContent = "The gateway does not answer, so there is no plan.";
  }
}

// --- What the person does --------------------------------------------------------------------------------------------

document.addEventListener("input", (event) => {
  if (event.target.closest("#filter")) filter({});
  if (event.target.closest(".weight")) {
    sync(event.target);
    weightsChanged();
  }
});

document.addEventListener("click", (event) => {
  const preset = event.target.closest("button[name=preset]");
  if (!preset) return;
  event.preventDefault();
  const [backend, percent] = preset.value.split(/:(?=[^:]*$)/);
  const input = document.querySelector(`#split input[name="weight.${CSS.escape(backend)}"]`);
  input.value = percent;
  sync(input);
  weightsChanged();
});

document.addEventListener("submit", (event) => {
  if (event.target.id === "filter") event.preventDefault();
  if (event.target.id === "split" && event.submitter?.name !== "change") {
    event.preventDefault();
    preview();
    return;
  }
  if (event.submitter?.name !== "change") return;
  // A second click would be refused, as made for a version that is gone; it need not be sent at all.
  if (event.target.dataset.sent) event.preventDefault();
  event.target.dataset.sent = "yes";
  event.submitter.setAttribute("aria-busy", "true");
});

// Coming back with the browser's Back button, forms may be sent again.
addEventListener("pageshow", () => {
  for (const form of document.forms) delete form.dataset.sent;
});

document.addEventListener("visibilitychange", paint);

settle();
for (const input of document.querySelectorAll('#split input[type="number"]')) {
  sync(input);
  // Typed before this script was there, or brought back by the Back button.
  if (input.value !== input.defaultValue) weightsChanged();
}
if ("EventSource" in window) connect();
setInterval(charts, CHARTS_EVERY);
