// The page, fetched again: it is made by the server alone, and parts of it are exchanged here.

export async function fetched(url, signal = AbortSignal.timeout(10_000)) {
  const response = await fetch(url, { headers: { accept: "text/html" }, signal });
  if (response.redirected && new URL(response.url).pathname === "/login") location.reload();
  if (response.status >= 500) throw new Error(response.statusText);
  return new DOMParser().parseFromString(await response.text(), "text/html");
}

// Puts the part with this id, if the fresh page has it, into the place of the old one. The focus stays where it is: on
// the same control of the new part.
export function exchange(id, fresh) {
  const old = document.getElementById(id);
  const next = fresh.getElementById(id);
  if (!old || !next) return;
  const active = old.contains(document.activeElement) ? document.activeElement : null;
  const name = (element) => element.id || element.getAttribute("aria-label") || element.textContent;
  old.replaceWith(document.adoptNode(next));
  if (!active) return;
  const same = [...next.querySelectorAll(active.tagName)].find((each) => name(each) === name(active));
  same?.focus({ preventScroll: true });
}

// Times come in UTC; who reads them lives somewhere.
export function localTimes() {
  for (const time of document.querySelectorAll("time")) {
    const at = new Date(time.dateTime);
    const today = at.toDateString() === new Date().toDateString();
    time.title = at.toISOString();
    time.textContent = today ? at.toLocaleTimeString() : at.toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
  }
}
