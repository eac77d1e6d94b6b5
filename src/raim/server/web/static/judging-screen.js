// The check of a judge's screen: what the browser can tell, and what only eyes can.

import { findFacts } from "./judging-fitness.js";
import { make } from "./pixels.js";

const MOST_LEFT_OUT = 3; // so that the squares have to be counted
const MOST_UNSEEN = 3; // more, and the shades of a photograph are lost too
const form = document.getElementById("screen");

// Take some squares of a strip away, another number each time; give how many are left.
function leaveOut(strip) {
  const squares = [...strip.children];
  const gone = Math.floor(Math.random() * (MOST_LEFT_OUT + 1));
  for (let count = 0; count < gone; count += 1) {
    squares.splice(Math.floor(Math.random() * squares.length), 1)[0].classList.add("none");
  }
  return squares.length;
}

// Put the odd square of a row somewhere else each time; give its place.
function shuffleOdd(row) {
  const patches = row.querySelector(".patches");
  const odd = patches.querySelector(".odd");
  odd.remove();
  const place = Math.floor(Math.random() * (patches.children.length + 1));
  patches.insertBefore(odd, patches.children[place] ?? null);
  return String(place + 1);
}

function sayFacts() {
  const facts = findFacts();
  const words = `The window is ${facts.window_width} × ${facts.window_height} (needed: ${form.dataset.leastWidth} × ` +
    `${form.dataset.leastHeight}), ${facts.pixel_ratio} screen pixels a page pixel, zoom ${facts.zoom_percent} %, ` +
    `${facts.colour_depth} bits of colour.`;
  const place = document.getElementById("window-facts");
  if (place.textContent !== words) place.textContent = words;
}

function show(isBad, ...content) {
  const verdict = document.getElementById("verdict");
  verdict.hidden = false;
  verdict.classList.toggle("bad", isBad);
  verdict.replaceChildren(...content);
}

// What a judge can correct, although nobody is refused for it.
function findAdvice({ dark_patches: dark, bright_patches: bright, colours_right: areRight }) {
  const advice = [];
  const say = ([seen, shown], words) => seen !== shown && advice.push(`${seen} of ${shown} ${words}`);
  const isFar = ([seen, shown]) => Math.abs(seen - shown) > MOST_UNSEEN;
  if (isFar(dark)) say(dark, "dark squares: raise the screen's brightness or dim the room");
  if (isFar(bright)) say(bright, "bright squares: lower the screen's contrast or brightness");
  if (!areRight) advice.push("an odd colour was missed: switch night colours, colour filters and reading modes off");
  return advice.join("; ");
}

async function keep(facts) {
  const reply = await fetch(form.dataset.address, {
    method: "POST", body: JSON.stringify(facts),
    headers: { "Content-Type": "application/json", Accept: "application/json" },
  });
  const answer = await reply.json();
  if (!reply.ok) throw Object.assign(new Error(answer.error?.message ?? String(reply.status)), { isAnswer: true });
  return answer;
}

async function send(event, truth) {
  event.preventDefault();
  const given = new FormData(form);
  const facts = {
    ...findFacts(),
    dark_patches: [Number(given.get("dark")), truth.dark], bright_patches: [Number(given.get("bright")), truth.bright],
    colours_right: truth.odd.every((place, row) => given.get(`odd-${row + 1}`) === place),
  };
  try {
    const answer = await keep(facts);
    if (!answer.is_fine) return show(true, `${answer.why}.`);
    const advice = findAdvice(facts);
    if (!advice) return location.assign(answer.next);
    show(false, `${advice}. Correct it and check again, or `, make("a", { href: answer.next }, "go on as it is"), ".");
  } catch (error) {
    show(true, error.isAnswer ? `It could not be kept: ${error.message}` : "The server cannot be reached; try again in a moment.");
  }
  return undefined;
}

if (form) {
  const truth = {
    dark: leaveOut(form.querySelector(".strip.dark")), bright: leaveOut(form.querySelector(".strip.bright")),
    odd: [...form.querySelectorAll(".odd-row")].map(shuffleOdd),
  };
  sayFacts();
  addEventListener("resize", sayFacts);
  form.addEventListener("submit", (event) => send(event, truth));
}
