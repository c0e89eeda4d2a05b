// Keeps the page up to date: figures by event stream, everything else by fetching the page again and exchanging what
// has a data-swap. The pages work without this script; then they are as old as their loading.

import { index, show as write } from "./figures.js";
import { filter } from "./filter.js";
import { exchange, fetched, localTimes } from "./page.js";
import * as split from "./split.js";

const CHARTS_EVERY = 10_000;
const RETRY_AFTER = 2_000;
// The stream tells something every 15 seconds at least. Longer silence is a connection that has died without a word.
const SILENCE = 20_000;

const $ = (id) => document.getElementById(id);

// --- The page --------------------------------------------------------------------------------------------------------

// What the page was made of, as far as figures do not change it. The server writes the same into data-made; see
// troubles.py.
function madeOf(status) {
  const workers = status.workers.map((each) => `${each.number} ${each.pid} ${each.state} ${each.version}`);
  const full = (limit) => (limit?.trouble ? [limit.trouble] : []);
  const ofBackends = status.backends.flatMap(({ name, addresses, limit }) => {
    const ill = addresses.filter((each) => each.trouble).map((each) => `${each.address} ${each.trouble}`);
    return [...ill, ...full(limit)].map((trouble) => `${name} ${trouble}`);
  });
  const ofRoutes = status.routes.flatMap(({ label, breakers, limit }) => {
    const open = Object.entries(breakers).filter(([, breaker]) => breaker.trouble);
    const alone = open.map(([backend, breaker]) => `${backend} ${breaker.trouble}`);
    return [...alone, ...full(limit)].map((trouble) => `${label} ${trouble}`);
  });
  const limits = [...status.backends, ...status.routes].filter((each) => each.limit);
  const names = limits.map((each) => each.name ?? each.label);
  const { version, digest, problems } = status.config;
  return [version, digest, ...problems, ...workers, ...ofBackends, ...ofRoutes, ...names].join("\n");
}

let refreshing = null;

// Two at once would be one too many: the second waits for the first, and then looks itself.
async function refresh() {
  await refreshing;
  refreshing = fetchAndExchange();
  await refreshing;
}

async function fetchAndExchange() {
  try {
    const fresh = await fetched(location.href);
    for (const part of document.querySelectorAll("[data-swap]")) exchange(part.id, fresh);
    document.title = fresh.title;
    settle();
    split.follow(fresh);
  } catch {
    // The line on top says that the connection is lost, and the next status tries once more.
  }
}

function settle() {
  index();
  filter();
  localTimes();
}

async function charts() {
  if (!$("charts") || document.hidden) return;
  const asked = new URLSearchParams({ route: $("charts").dataset.route });
  try {
    exchange("charts", await fetched(`/charts?${asked}`));
  } catch {
    // As above.
  }
}

// --- The event stream ------------------------------------------------------------------------------------------------

let stream = null;
let silence = 0;
let retry = 0;
let latest = null;
let heard = null;

function connect() {
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
  stream.close();
  // Fetching the page first: it is another one now if the gateway has been restarted, or wants a login again.
  retry = setTimeout(() => refresh().then(connect), RETRY_AFTER);
  document.body.classList.add("lost");
  const connection = $("connection");
  connection.classList.remove("on");
  const since = heard ? `Connection lost. Figures of ${heard.toLocaleTimeString()}` : "No connection";
  const text = `${since}; trying again…`;
  if (connection.textContent !== text) connection.textContent = text;
}

// In a tab that nobody sees, nothing is painted.
function paint() {
  if (!latest || document.hidden) return;
  const made = $("config")?.dataset.made;
  if (made !== undefined && made !== madeOf(latest)) refresh();
  show(latest);
}

export function show(status) {
  write(status);
  if ($("show")?.value) filter({ onlyAdd: true });
}

// --- What the person does --------------------------------------------------------------------------------------------

$("filter")?.addEventListener("input", () => filter());
$("filter")?.addEventListener("submit", (event) => event.preventDefault());

// A second click would be refused, as made for a version that is gone; it need not be sent at all.
document.addEventListener("submit", (event) => {
  if (event.submitter?.name !== "change") return;
  if (event.target.dataset.sent) event.preventDefault();
  event.target.dataset.sent = "yes";
});

// Coming back with the browser's Back button, forms may be sent again.
addEventListener("pageshow", () => {
  for (const form of document.forms) delete form.dataset.sent;
});

document.addEventListener("visibilitychange", paint);

settle();
split.start();
connect();
setInterval(charts, CHARTS_EVERY);
