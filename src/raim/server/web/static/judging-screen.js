// The check of a judge's screen: what the browser can tell, and what only eyes can.

import { isZoomed } from "./pixels.js";

const ODD = { "odd-1": "3", "odd-2": "1", "odd-3": "4" };
const form = document.getElementById("screen");

function findFacts() {
  const { innerWidth, innerHeight, outerWidth, devicePixelRatio, visualViewport, screen } = window;
  const ratio = Math.round(devicePixelRatio * 1000) / 1000;
  const zoomed = isZoomed(devicePixelRatio, outerWidth / innerWidth, visualViewport?.scale ?? 1);
  const guess = Math.round(100 * (outerWidth / innerWidth) * (visualViewport?.scale ?? 1));
  const gamut = ["rec2020", "p3", "srgb"].find((name) => matchMedia(`(color-gamut: ${name})`).matches) ?? "";
  return {
    window_width: innerWidth, window_height: innerHeight, screen_width: screen.width, screen_height: screen.height,
    pixel_ratio: ratio, zoom_percent: zoomed ? (guess === 100 ? 101 : guess) : 100, colour_depth: screen.colorDepth, gamut,
    has_mouse: matchMedia("(any-pointer: fine)").matches,
  };
}

function say(facts) {
  const words = `The window is ${facts.window_width} × ${facts.window_height} (needed: ${form.dataset.leastWidth} × ` +
    `${form.dataset.leastHeight}), ${facts.pixel_ratio} screen pixels a page pixel, zoom ${facts.zoom_percent} %.`;
  const place = document.getElementById("window-facts");
  if (place.textContent !== words) place.textContent = words;
}

function show(words, isBad) {
  const verdict = document.getElementById("verdict");
  verdict.hidden = false;
  verdict.classList.toggle("bad", isBad);
  verdict.textContent = words;
}

async function send(event) {
  event.preventDefault();
  const given = new FormData(form);
  const facts = {
    ...findFacts(),
    dark_patches: [Number(given.get("dark")), 8], bright_patches: [Number(given.get("bright")), 8],
    colours_right: Object.entries(ODD).every(([name, place]) => given.get(name) === place),
  };
  try {
    const reply = await fetch("/judging/screen", {
      method: "POST", body: JSON.stringify(facts),
      headers: {
        "Content-Type": "application/json", Accept: "application/json",
        "X-CSRF-Token": document.querySelector("meta[name=form-token]").content,
      },
    });
    const answer = await reply.json();
    if (!reply.ok) return show(`It could not be kept: ${answer.error?.message ?? reply.status}`, true);
    if (!answer.is_fine) return show(`${answer.why}.`, true);
    location.assign(answer.next);
  } catch {
    show("The server cannot be reached; try again in a moment.", true);
  }
}

if (form) {
  say(findFacts());
  addEventListener("resize", () => say(findFacts()));
  form.addEventListener("submit", send);
}
