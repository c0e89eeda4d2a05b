// Figures as the dashboard writes them: the same as gateway/control/dashboard/words.py.

export const NOTHING = "–";

export function rate(value) {
  if (value === null || value === undefined) return NOTHING;
  if (value === 0) return "0";
  if (value < 0.1) return "<0.1";
  if (value < 10) return value.toFixed(1);
  return value < 10000 ? value.toFixed(0) : `${(value / 1000).toFixed(1)}k`;
}

export function ratio(value) {
  if (value === null || value === undefined) return NOTHING;
  if (value === 0) return "0 %";
  const percent = value * 100;
  if (percent < 0.1) return "<0.1 %";
  return `${percent.toFixed(percent < 10 ? 1 : 0)} %`;
}

export function seconds(value) {
  if (value === null || value === undefined) return NOTHING;
  if (value < 0.01) return `${(value * 1000).toFixed(1)} ms`;
  if (value < 1) return `${(value * 1000).toFixed(0)} ms`;
  return `${value.toFixed(value < 10 ? 1 : 0)} s`;
}

export function limit({ in_flight, allowed, waiting, refused }) {
  const more = [waiting ? `${waiting} waiting` : "", refused ? `${refused} refused` : ""];
  return [`${in_flight} of ${allowed} in flight`, ...more].filter(Boolean).join(", ");
}

export function refusals(byReason) {
  const most = Object.entries(byReason).sort(([a, many], [b, more]) => more - many || (a < b ? -1 : 1));
  return most.map(([reason, count]) => `${count} ${reason}`).join(", ") || "nothing";
}

export function percent(value) {
  return String(Number(value.toFixed(2)));
}
