// The page of trials: shows one after the other, takes the vote, keeps it as it is made.

import { Ballot } from "./judging-ballot.js";
import { Saving } from "./judging-saving.js";
import { Wall } from "./judging-wall.js";
import { make } from "./pixels.js";

const ORDINALS = ["", "1st", "2nd", "3rd"];
const GRADES = ["", "bad", "poor", "fair", "good", "excellent"];
const SAVING = { saving: "saving …", saved: "saved", waiting: "not saved: trying again", refused: "not saved" };

class Judging {
  constructor(root) {
    this.root = root;
    this.part = root.dataset.part;
    this.total = Number(root.dataset.total);
    this.position = Number(root.dataset.position);
    this.ahead = new Map(); // trials that were asked for before they are needed
    this.seconds = 0;
    this.since = null;
    this.build();
    this.saving = new Saving(document.querySelector("meta[name=form-token]").content,
      (state, answer) => this.showSaving(state, answer));
    this.wall = new Wall(this.place, {
      onCurrent: (label) => this.showCurrent(label),
      onClick: (label) => this.vote((ballot) => ballot.toggle(label)),
      onRegion: (region) => this.vote((ballot) => ballot.addRegion(region)),
      onZoom: (words) => { this.zoomWords.textContent = words; },
      onShown: () => { document.documentElement.dataset.shown = `${this.part} ${this.position}`; this.prepare(); },
      onFault: () => this.say("A picture could not be loaded; the page tries again when you zoom or go to another trial."),
    });
    this.listen();
    this.load(this.position);
  }

  // ---- What is on the page

  build() {
    const button = (words, title, act) => {
      const made = make("button", { type: "button", title }, words);
      made.addEventListener("click", act);
      return made;
    };
    this.where = make("span", { className: "where" });
    this.progress = make("progress", { max: this.total, value: 0, ariaLabel: "Trials with a vote" });
    this.left = make("span", { className: "quiet" });
    this.zoomWords = make("span", { className: "zoom-words", role: "status" });
    this.savingWords = make("span", { className: "saving quiet", role: "status" });
    const tools = make("span", { className: "tools", role: "group", ariaLabel: "View" },
      button("−", "Zoom out (−)", () => this.wall.zoomStep(false)), this.zoomWords,
      button("+", "Zoom in (+)", () => this.wall.zoomStep(true)), button("1:1", "Pixel by pixel (Z)", () => this.wall.zoomTo(1)),
      button("Whole", "The whole picture (X)", () => this.wall.fit()), button("Full", "One picture on the whole wall (Enter)", () => this.wall.fill()),
      button("Large", "Among the large ones (L)", () => this.wall.promote()));
    this.markButton = button("Mark", "Mark a region (hold R and drag)", () => this.setMarking(!this.wall.isMarking));
    this.bar = make("div", { className: "bar" }, this.where, this.progress, this.left, make("span", { className: "space" }),
      tools, this.markButton, this.savingWords, button("Trials", "Go to another trial", () => this.showPlaces()),
      button("Keys", "The list of keys (?)", () => this.keys.showModal()), button("Pause", "Pause (P)", () => this.pause()));
    this.place = make("div", { className: "wall" });
    this.ballotPlace = make("div", { className: "ballot" });
    this.cover = make("div", { className: "cover", hidden: true }, make("h2", {}, "Paused"),
      make("p", {}, "The pictures are covered and the clock stands. Your votes are saved; you can also close the window."),
      button("Go on", "Go on (P)", () => this.resume()));
    this.message = make("div", { className: "message", role: "alert", hidden: true });
    this.keys = this.buildKeys();
    this.places = make("dialog", { ariaLabel: "Trials" });
    this.root.append(this.bar, this.place, this.ballotPlace, this.cover, this.message, this.keys, this.places);
  }

  buildKeys() {
    const rows = [["A B C …", "go to that candidate; 0: the input"], ["1 2 3", "first, second, third (or the grade, 1 to 5)"],
      ["Backspace", "take it back"], ["U, Ctrl+Z", "undo"], ["Z", "1:1"], ["+ −, wheel", "zoom"], ["arrows, drag", "move"],
      ["X", "the whole picture"], ["L", "among the large ones"], ["Enter, double click", "full; again: back"],
      ["Q, held", "flicker: the candidate before"], ["Space, held", "flicker: the input"], ["R, held, and drag", "mark a region"],
      ["N, V", "next trial, trial before"], ["P", "pause"]];
    const body = make("tbody", {}, ...rows.map(([keys, words]) => make("tr", {}, make("th", { scope: "row" }, keys), make("td", {}, words))));
    const close = make("button", { type: "button" }, "Close");
    const dialog = make("dialog", { ariaLabel: "Keys" }, make("table", { className: "keys" }, body), close);
    close.addEventListener("click", () => dialog.close());
    return dialog;
  }

  say(words) {
    this.message.textContent = words;
    this.message.hidden = !words;
  }

  showCurrent(label) {
    this.current = label;
    for (const each of this.ballotPlace.querySelectorAll("[data-label]")) {
      each.classList.toggle("is-current", each.dataset.label === label);
    }
  }

  showSaving(state, answer) {
    this.savingWords.textContent = SAVING[state];
    this.savingWords.classList.toggle("bad", state === "waiting" || state === "refused");
    document.documentElement.dataset.saving = state;
    if (state === "refused") this.say(`Your vote was not taken: ${answer.error}`);
    if (state === "saved") this.showProgress(answer);
  }

  showProgress({ done, total }) {
    this.progress.value = done;
    this.progress.max = total;
    const pace = this.trial?.seconds_per_trial;
    const minutes = Math.ceil(((total - done) * pace) / 60);
    this.left.textContent = pace && done < total ? `about ${minutes} min left` : `${done} of ${total} judged`;
    this.left.title = `${done} of ${total} trials have your vote`;
  }

  showBallot() {
    const { ballot, trial } = this;
    const isRating = ballot.mode === "rating";
    this.wall.showPicks((label) => ballot.valueOf(label), (value) => (isRating ? GRADES[value] : ballot.nPicks === 1 ? "best" : ORDINALS[value]));
    this.wall.showRegions(ballot.now.regions);
    const labels = isRating ? ballot.labels : ballot.now.choice;
    const rows = isRating ? labels.map((label) => this.gradeRow(label)) : Array.from({ length: Math.min(ballot.nPicks, ballot.labels.length) },
      (_, place) => this.pickRow(place, labels[place]));
    const button = (words, title, act, fields = {}) => {
      const made = make("button", { type: "button", title, ...fields }, words);
      made.addEventListener("click", act);
      return made;
    };
    const last = this.position === this.total;
    this.nextButton = button(last ? "To the end" : "Next", "Next trial (N)", () => this.next(), { className: ballot.isComplete ? "main" : "" });
    this.ballotPlace.replaceChildren(...rows, make("span", { className: "space" }),
      ...(ballot.now.regions.length ? [button(`Clear ${ballot.now.regions.length} marked`, "Take all marked regions back", () => this.vote((each) => each.clearRegions()))] : []),
      button("Undo", "Undo (U)", () => this.undo(), { disabled: !ballot.before.length }),
      button("Back", "Trial before (V)", () => this.load(this.position - 1), { disabled: this.position === 1 }), this.nextButton);
    const part = this.part === "training" ? "Training, does not count: " : "";
    this.where.textContent = `${part}trial ${trial.position} of ${trial.total}`;
  }

  pickRow(place, label) {
    const slot = this.ballot.nPicks === 1 ? "Best" : ORDINALS[place + 1];
    const row = make("span", { className: "pick" }, make("span", { className: "slot" }, `${slot}: ${label ?? "–"}`));
    if (label) row.append(...this.reasons(label));
    return row;
  }

  reasons(label) {
    return this.trial.criteria.map((criterion) => {
      const isOn = this.ballot.now.reasons[label]?.includes(criterion) ?? false;
      const made = make("button", { type: "button", className: "reason", ariaPressed: String(isOn), title: `${label}: because of ${criterion}` }, criterion);
      made.addEventListener("click", () => this.vote((ballot) => ballot.toggleReason(label, criterion), `${label} ${criterion}`));
      made.dataset.key = `${label} ${criterion}`;
      return made;
    });
  }

  gradeRow(label) {
    const row = make("span", { className: "pick", role: "group", ariaLabel: `Grade of ${label}` }, make("span", { className: "slot" }, label));
    for (let grade = 1; grade <= 5; grade += 1) {
      const made = make("button", { type: "button", className: "reason", ariaPressed: String(this.ballot.valueOf(label) === grade), title: GRADES[grade] }, String(grade));
      made.dataset.key = `${label} ${grade}`;
      made.addEventListener("click", () => this.vote((ballot) => ballot.set(label, grade), made.dataset.key));
      row.append(made);
    }
    return row;
  }

  // ---- Trials

  address(position) {
    return `/judging/trials/${this.part}/${position}`;
  }

  async fetchTrial(position) {
    for (let tries = 0; ; tries += 1) {
      try {
        const reply = await fetch(this.address(position), { headers: { Accept: "application/json" } });
        const answer = await reply.json();
        if (reply.ok) return answer;
        if (reply.status < 500) throw Object.assign(new Error(answer.error?.message ?? String(reply.status)), { isFinal: true });
      } catch (error) {
        if (error.isFinal) throw error;
      }
      this.say("The server cannot be reached; trying again. Nothing that you have voted is lost.");
      await new Promise((resolve) => setTimeout(resolve, Math.min(500 * 2 ** tries, 8000)));
    }
  }

  async load(position) {
    this.stopClock();
    delete document.documentElement.dataset.shown;
    const asked = this.ahead.get(position) ?? this.fetchTrial(position);
    this.ahead.delete(position);
    try {
      this.trial = await asked;
    } catch (error) {
      return this.say(`${error.message}.`);
    }
    this.say("");
    this.position = position;
    const waiting = this.saving.waitingFor(`${this.address(position)}/vote`);
    if (waiting) this.trial.vote = waiting;
    this.ballot = new Ballot(this.trial);
    this.seconds = this.trial.vote?.seconds ?? 0;
    this.wall.open(this.trial);
    this.showBallot();
    this.showProgress(this.trial);
    history.replaceState(null, "", `/judging/vote?part=${this.part}&position=${position}`);
    document.title = `Trial ${position} of ${this.total}`;
    this.startClock();
    return undefined;
  }

  // Ask for the next trial and the tiles of its first view, so that it is there at once.
  prepare() {
    const next = this.position + 1;
    if (next > this.total || this.ahead.has(next)) return;
    const asked = this.fetchTrial(next);
    asked.catch(() => this.ahead.delete(next));
    this.ahead.set(next, asked);
    asked.then((trial) => {
      const shown = this.wall.views[0].figure;
      const needed = Math.max(shown.clientWidth, shown.clientHeight) * window.devicePixelRatio;
      const level = trial.image.levels.findLastIndex((each) => Math.max(each.width, each.height) >= needed);
      const wanted = Math.max(level, 0);
      const { width, height } = trial.image.levels[wanted];
      for (const { tiles } of trial.candidates) {
        for (let row = 0; row * trial.image.tile < height; row += 1) {
          for (let column = 0; column * trial.image.tile < width; column += 1) {
            new Image().src = `${tiles}/${wanted}/${column}_${row}.png`;
          }
        }
      }
    }, () => {});
  }

  next() {
    if (this.position < this.total) return this.load(this.position + 1);
    if (this.saving.isWaiting) return this.say("Your last vote is on its way; go on in a moment.");
    location.assign(this.part === "training" ? "/judging/vote" : "/judging/done");
    return undefined;
  }

  async showPlaces() {
    const buttons = Array.from({ length: this.total }, (_, place) => {
      const made = make("button", { type: "button", ariaCurrent: String(place + 1 === this.position) }, String(place + 1));
      made.classList.toggle("is-open", this.trial.open.includes(place + 1));
      made.addEventListener("click", () => { this.places.close(); this.load(place + 1); });
      return made;
    });
    const close = make("button", { type: "button" }, "Close");
    close.addEventListener("click", () => this.places.close());
    const end = make("a", { href: this.part === "training" ? "/judging/vote" : "/judging/done" }, this.part === "training" ? "Leave the training" : "To the end");
    this.places.replaceChildren(make("p", {}, "Trials; dashed ones had no vote when this page was opened."), make("div", { className: "places" }, ...buttons), make("p", {}, end, " ", close));
    this.places.showModal();
  }

  // ---- The vote

  vote(act, focusKey) {
    if (!this.ballot || this.trial.is_locked) return;
    if (!act(this.ballot)) return;
    this.changed(focusKey);
  }

  undo() {
    if (this.ballot?.undo()) this.changed();
  }

  changed(focusKey) {
    this.showBallot();
    if (focusKey) this.ballotPlace.querySelector(`[data-key="${CSS.escape(focusKey)}"]`)?.focus();
    this.saving.add(`${this.address(this.position)}/vote`, { ...this.ballot.plain(), seconds: Math.round(this.lookedFor() * 10) / 10 });
  }

  // ---- The clock: it stands while paused or while another window covers this one

  startClock() {
    if (this.since === null && this.cover.hidden && !document.hidden) this.since = performance.now();
  }

  stopClock() {
    this.seconds = this.lookedFor();
    this.since = null;
  }

  lookedFor() {
    return this.seconds + (this.since === null ? 0 : (performance.now() - this.since) / 1000);
  }

  pause() {
    this.stopClock();
    this.cover.hidden = false;
    this.cover.querySelector("button").focus();
  }

  resume() {
    this.cover.hidden = true;
    this.startClock();
    this.wall.current?.button.focus();
  }

  setMarking(isOn) {
    this.wall.mark(isOn);
    this.markButton.ariaPressed = String(isOn);
  }

  // ---- Keys

  listen() {
    addEventListener("keydown", (event) => this.onKey(event));
    addEventListener("keyup", (event) => this.onKeyUp(event));
    addEventListener("blur", () => { this.wall.release(); if (this.isHoldingMark) this.setMarking(this.isHoldingMark = false); });
    document.addEventListener("visibilitychange", () => (document.hidden ? this.stopClock() : this.startClock()));
  }

  onKey(event) {
    if (!this.trial || this.keys.open || this.places.open || event.altKey) return;
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    if ((event.ctrlKey || event.metaKey) && key !== "z") return;
    if (!this.cover.hidden) {
      if (key === "p") this.resume();
      return;
    }
    const onButton = event.target.closest?.("button, a, summary") && !event.target.closest(".view");
    if (onButton && (key === "Enter" || key === " ")) return;
    const act = this.actOf(key, event);
    if (!act) return;
    event.preventDefault();
    act();
  }

  actOf(key, event) {
    if (event.ctrlKey || event.metaKey) return () => this.undo();
    const letter = /^[a-z]$/.test(key) && this.ballot.labels.includes(key.toUpperCase());
    const label = this.current;
    const isCandidate = this.ballot.labels.includes(label);
    if ("12345".includes(key) && isCandidate) return () => this.vote((ballot) => ballot.set(label, Number(key)));
    // Letters of candidates go first; commands are letters from L on, and signs.
    const commands = {
      Backspace: () => this.vote((ballot) => ballot.remove(label)), u: () => this.undo(), z: () => this.wall.zoomTo(1),
      "+": () => this.wall.zoomStep(true), "=": () => this.wall.zoomStep(true), "-": () => this.wall.zoomStep(false),
      x: () => this.wall.fit(), l: () => this.wall.promote(), Enter: () => this.wall.fill(),
      q: () => this.wall.hold(this.wall.previous), " ": () => this.wall.hold(this.wall.views[0]),
      r: () => { if (!event.repeat) this.setMarking(this.isHoldingMark = true); },
      n: () => this.next(), v: () => this.position > 1 && this.load(this.position - 1), p: () => this.pause(),
      "?": () => this.keys.showModal(), 0: () => this.wall.go("Input"), Escape: () => this.wall.front && this.wall.fill(),
      ArrowLeft: () => this.wall.panBy(-1, 0), ArrowRight: () => this.wall.panBy(1, 0),
      ArrowUp: () => this.wall.panBy(0, -1), ArrowDown: () => this.wall.panBy(0, 1),
    };
    return letter ? () => this.wall.go(key.toUpperCase()) : commands[key];
  }

  onKeyUp(event) {
    const key = event.key.toLowerCase();
    if (key === "q" || key === " ") this.wall.release();
    if (key === "r" && this.isHoldingMark) this.setMarking(this.isHoldingMark = false);
  }
}

const root = document.getElementById("judging");
if (root && window.OpenSeadragon) new Judging(root);
