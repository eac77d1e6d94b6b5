// Times in the reader's own zone, and countdowns. The page states each time in the challenge's zone:
//   <time datetime="2026-03-01T12:00:00+00:00" data-local>2026-03-01 21:00 Asia/Tokyo</time>
// In a table, or with data-local="replace", the reader's time takes its place; elsewhere it follows in brackets,
// without the date where that is the same.
// The original stays as the title. data-countdown="words" adds the time left and, once there is none, the words.

const parts = new Intl.DateTimeFormat("en-GB", {
  year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", hourCycle: "h23",
  timeZoneName: "short",
});
const counted = new Set();

export function formatLocal(moment, format = parts) {
  const part = Object.fromEntries(format.formatToParts(moment).map(({ type, value }) => [type, value]));
  return `${part.year}-${part.month}-${part.day} ${part.hour}:${part.minute} ${part.timeZoneName}`;
}

// "2 days 3 h", "3 h 12 min", "4 min 10 s", "9 s": two units, the smaller one cut off.
export function formatDuration(milliseconds) {
  let rest = Math.floor(milliseconds / 1000);
  const found = [];
  for (const [length, unit] of [[86400, "day"], [3600, "h"], [60, "min"], [1, "s"]]) {
    const count = Math.floor(rest / length);
    rest -= count * length;
    if (count || found.length) found.push(count ? `${count} ${unit}${unit === "day" && count > 1 ? "s" : ""}` : "");
    if (found.length === 2) break;
  }
  return found.filter(Boolean).join(" ") || "0 s";
}

function showLocal(element) {
  const moment = new Date(element.dateTime);
  if (Number.isNaN(moment.getTime())) return;
  const original = element.textContent.trim();
  const local = formatLocal(moment);
  element.title = original;
  if (original.slice(0, 16) === local.slice(0, 16)) return; // the reader's clock shows the same
  if (element.dataset.local === "replace" || element.closest("td, th")) element.textContent = local;
  else element.textContent = `${original} (${original.slice(0, 10) === local.slice(0, 10) ? local.slice(11) : local})`;
}

function startCountdown(element) {
  const text = document.createElement("span");
  text.className = "countdown";
  text.ariaHidden = "true"; // the time itself is read out; a change each second would be a nuisance
  element.after(" ", text);
  counted.add({ element, text, end: new Date(element.dateTime).getTime() });
}

function tick() {
  for (const each of counted) {
    if (!each.text.isConnected) counted.delete(each);
    const left = each.end - Date.now();
    const words = left > 0 ? `in ${formatDuration(left)}` : each.element.dataset.countdown || "now";
    if (each.text.textContent !== words) each.text.textContent = words;
  }
}

function enhance(root) {
  for (const element of root.querySelectorAll("time[datetime]:not([data-shown])")) {
    if (!("local" in element.dataset) && !("countdown" in element.dataset)) continue;
    element.dataset.shown = "";
    if ("local" in element.dataset) showLocal(element);
    if ("countdown" in element.dataset) startCountdown(element);
  }
  tick();
}

if (typeof document !== "undefined") {
  enhance(document);
  new MutationObserver((changes) => {
    const isNew = (node) => node.nodeType === Node.ELEMENT_NODE && (node.matches("time") || node.querySelector("time"));
    if (changes.some((change) => [...change.addedNodes].some(isNew))) enhance(document);
  }).observe(document.body, { childList: true, subtree: true });
  setInterval(tick, 1000);
}
