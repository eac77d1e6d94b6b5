// What stands around the pictures: the bar, the list of keys, the list of trials, and the cover over a pause.

import { make } from "./pixels.js";

const SAVING = { saving: "saving …", saved: "saved", waiting: "not saved: trying again", refused: "not saved" };
const KEYS = [["A B C …", "go to that candidate; 0: the input"], ["1 2 3", "first, second, third (or the grade, 1 to 5)"],
  ["Backspace", "take it back"], ["U, Ctrl+Z", "undo"], ["Z", "1:1"], ["+ −, wheel", "zoom"], ["arrows, drag", "move"],
  ["X", "the whole picture"], ["L", "among the large ones"], ["Enter, double click", "full; again or Esc: back"],
  ["Q, held", "flicker: the candidate before"], ["Space, held", "flicker: the input"], ["R, held, and drag", "mark a region"],
  ["M", "mark what is in view"], ["N, V", "next trial, trial before"], ["T", "go to another trial"], ["P", "pause"]];

function press(words, title, act, fields = {}) {
  const made = make("button", { type: "button", title, ...fields }, words);
  made.addEventListener("click", act);
  return made;
}

export class Frame {
  // acts: zoom(isUp), pixels(), whole(), full(), large(), mark(), pause(), resume(), places()
  constructor(root, acts) {
    this.acts = acts;
    this.where = make("span", { className: "where" });
    this.badge = make("span", { className: "badge", hidden: true }, "training, does not count");
    this.progress = make("progress", { value: 0, ariaLabel: "Trials with a vote" });
    this.left = make("span", { className: "left quiet" });
    this.zoomed = make("span", { className: "warning", hidden: true });
    this.zoomWords = make("span", { className: "zoom-words", role: "status" });
    this.savingWords = make("span", { className: "saving quiet", role: "status" });
    this.markButton = press("Mark", "Mark a region (hold R and drag; M: what is in view)", acts.mark, { ariaPressed: "false" });
    this.wall = make("div", { className: "wall" });
    this.ballot = make("div", { className: "ballot" });
    this.message = make("div", { className: "message", role: "alert", hidden: true });
    this.keys = this.buildKeys();
    this.places = make("dialog", { ariaLabel: "Trials" });
    this.cover = this.buildCover();
    root.append(this.buildBar(), this.wall, this.ballot, this.cover, this.message, this.keys, this.places);
  }

  buildBar() {
    const { acts } = this;
    const tools = make("span", { className: "tools", role: "group", ariaLabel: "View" },
      press("−", "Zoom out (−)", () => acts.zoom(false), { ariaLabel: "Zoom out" }), this.zoomWords,
      press("+", "Zoom in (+)", () => acts.zoom(true), { ariaLabel: "Zoom in" }), press("1:1", "Pixel by pixel (Z)", acts.pixels),
      press("Whole", "The whole picture (X)", acts.whole), press("Full", "One picture on the whole wall (Enter)", acts.full),
      press("Large", "Among the large ones (L)", acts.large), this.markButton);
    const more = make("span", { className: "tools", role: "group", ariaLabel: "More" },
      press("Trials", "Go to another trial (T)", acts.places), press("Keys", "The list of keys (?)", () => this.keys.showModal()),
      press("Pause", "Pause (P)", acts.pause));
    return make("div", { className: "bar" }, this.where, this.badge, this.progress, this.left, this.zoomed,
      make("span", { className: "space" }), this.savingWords, tools, more);
  }

  buildKeys() {
    const rows = KEYS.map(([keys, words]) => make("tr", {}, make("th", { scope: "row" }, keys), make("td", {}, words)));
    const close = press("Close", "Close (Esc)", () => dialog.close(), { autofocus: true });
    const ways = make("p", {}, make("a", { href: "instructions" }, "Instructions"), " · ",
      make("a", { href: "screen" }, "Check the screen again"));
    const dialog = make("dialog", { ariaLabel: "Keys" }, make("table", { className: "keys" }, make("tbody", {}, ...rows)), ways, close);
    return dialog;
  }

  buildCover() {
    this.coverTitle = make("h2", {});
    this.coverWords = make("p", {});
    this.goOn = press("Go on", "Go on (P)", this.acts.resume, { className: "main" });
    return make("div", { className: "cover", hidden: true }, this.coverTitle, this.coverWords, this.goOn);
  }

  // Cover the pictures; `canGoOn` unless something else than the judge has to change first.
  coverWith(title, words, canGoOn) {
    this.coverTitle.textContent = title;
    this.coverWords.textContent = words;
    this.goOn.hidden = !canGoOn;
    this.cover.hidden = false;
    if (canGoOn) this.goOn.focus();
  }

  say(words) {
    this.message.textContent = words;
    this.message.hidden = !words;
  }

  showSaving(state) {
    this.savingWords.textContent = SAVING[state];
    this.savingWords.classList.toggle("bad", state === "waiting" || state === "refused");
    document.documentElement.dataset.saving = state;
  }

  showProgress(done, total, pace) {
    const minutes = Math.ceil(((total - done) * pace) / 60);
    this.progress.value = done;
    this.progress.max = total;
    this.left.textContent = `${done} of ${total} judged${pace && done < total ? `, about ${minutes} min left` : ""}`;
  }

  showPlaces({ total, position, open, end, endWords, onGo }) {
    const buttons = Array.from({ length: total }, (_, index) => {
      const place = index + 1;
      const made = press(String(place), open.has(place) ? "Without a vote" : "Has your vote", () => { this.places.close(); onGo(place); });
      if (place === position) made.ariaCurrent = "true";
      made.classList.toggle("is-open", open.has(place));
      return made;
    });
    const ways = make("p", { className: "ways" }, make("a", { href: end }, endWords), press("Close", "Close (Esc)", () => this.places.close(), { autofocus: true }));
    this.places.replaceChildren(make("p", {}, "Trials; dashed ones have no vote yet."), make("div", { className: "places" }, ...buttons), ways);
    this.places.showModal();
  }
}
