// The form that splits a route: slider, field and usual shares say the same, and the plan beside them follows.

import { exchange, fetched } from "./page.js";
import { percent } from "./words.js";

const PREVIEW_AFTER = 200;

const $ = (id) => document.getElementById(id);
const fields = (root = document) => [...root.querySelectorAll('#split input[type="number"]')];
const edited = (field) => field.value !== field.defaultValue;

let asking = null;
let later = 0;

// One of a pair of slider and field has changed.
function sync(source) {
  for (const input of source.closest(".weight").querySelectorAll("input")) {
    if (input !== source) input.value = source.value;
  }
  const given = fields().reduce((sum, field) => sum + Number(field.value), 0);
  $("rest").textContent = given > 100 ? "less than nothing" : `${percent(100 - given)} %`;
}

function changed() {
  // What is shown is not what would be done any more.
  $("plan").classList.add("waiting");
  for (const button of $("plan").querySelectorAll("button")) button.disabled = true;
  clearTimeout(later);
  later = setTimeout(preview, PREVIEW_AFTER);
}

async function preview() {
  clearTimeout(later);
  asking?.abort();
  asking = new AbortController();
  const asked = new URLSearchParams(new FormData($("split")));
  for (const name of ["digest", "reason", "user"]) asked.delete(name);
  try {
    exchange("plan", await fetched(`/route?${asked}`, asking.signal));
  } catch (error) {
    if (error.name !== "AbortError") $("plan").textContent = "The gateway does not answer, so there is no plan.";
  }
}

// The routes have changed: what nobody has touched shows the new weights, and a plan is made anew.
export function follow(fresh) {
  if (!$("split")) return;
  for (const field of fields()) {
    const now = fields(fresh).find((each) => each.name === field.name);
    if (!now || edited(field)) continue;
    field.defaultValue = field.value = now.defaultValue;
    sync(field);
  }
  if (fields().some(edited)) preview();
  else exchange("plan", fresh);
}

export function start() {
  if (!$("split")) return;
  for (const field of fields()) sync(field);
  // Typed before this script was there, or brought back by the Back button.
  if (fields().some(edited)) changed();

  $("split").addEventListener("input", (event) => {
    if (!event.target.closest(".weight")) return;
    sync(event.target);
    changed();
  });
  $("split").addEventListener("click", (event) => {
    const preset = event.target.closest("button[name=preset]");
    if (!preset) return;
    event.preventDefault();
    const colon = preset.value.lastIndexOf(":");
    const field = fields().find((each) => each.name === `weight.${preset.value.slice(0, colon)}`);
    field.value = preset.value.slice(colon + 1);
    sync(field);
    changed();
  });
  // Enter in a field shows the plan and does not apply it.
  $("split").addEventListener("submit", (event) => {
    if (event.submitter?.name === "change") return;
    event.preventDefault();
    preview();
  });
}
