// The page of trials: shows one after the other, takes the vote, keeps it as it is made.

import { findFacts, findObstacle } from "./judging-fitness.js";
import { Frame } from "./judging-frame.js";
import { BallotRow } from "./judging-row.js";
import { Saving } from "./judging-saving.js";
import { Wall } from "./judging-wall.js";
import { tilesOfWhole } from "./judging-zoom.js";

class Judging {
  // TrialBallot: how a vote is made in the study's mode
  constructor(root, TrialBallot) {
    this.TrialBallot = TrialBallot;
    this.least = [Number(root.dataset.leastWidth), Number(root.dataset.leastHeight)];
    this.api = root.dataset.api;
    this.part = root.dataset.part;
    this.total = Number(root.dataset.total);
    this.position = Number(root.dataset.position);
    this.ahead = new Map(); // trials that were asked for before they are needed
    this.seconds = 0;
    this.since = null;
    this.frame = new Frame(root, {
      zoom: (isUp) => this.wall.zoomStep(isUp), pixels: () => this.wall.zoomTo(1), whole: () => this.wall.fit(),
      full: () => this.wall.fill(), large: () => this.wall.promote(), mark: () => this.setMarking(!this.wall.isMarking),
      pause: () => this.pause(), resume: () => this.resume(), places: () => this.showPlaces(),
    });
    this.row = new BallotRow(this.frame.ballot, {
      select: (label) => this.select(label), grade: (label, value) => this.vote((ballot) => ballot.set(label, value), label),
      reason: (label, criterion) => this.vote((ballot) => ballot.toggleReason(label, criterion), label),
      clearRegions: () => this.vote((ballot) => ballot.clearRegions()), undo: () => this.undo(),
      back: () => this.back(), next: () => this.next(),
    });
    this.saving = new Saving(root.dataset.keeper, (state, answer) => this.showSaving(state, answer));
    this.wall = new Wall(this.frame.wall, {
      onCurrent: (label) => { this.current = label; },
      onClick: (label) => this.click(label),
      onRegion: (region) => this.vote((ballot) => ballot.addRegion(region)),
      onZoom: (words) => { this.frame.zoomWords.textContent = words; },
      onShown: () => { document.documentElement.dataset.shown = `${this.part} ${this.position}`; this.prepare(); },
      onFault: () => this.frame.say("A part of a picture could not be loaded; the page is trying again."),
    });
    this.listen();
    this.checkWindow();
    this.load(this.position);
  }

  // ---- Trials

  address(position) {
    return `${this.api}/trials/${this.part}/${position}`;
  }

  async fetchTrial(position) {
    for (let tries = 0; ; tries += 1) {
      try {
        const reply = await fetch(this.address(position), { headers: { Accept: "application/json" } });
        const answer = await reply.json();
        if (reply.ok) return answer;
        if (reply.status < 500 && reply.status !== 429) throw Object.assign(new Error(answer.error?.message ?? String(reply.status)), { isFinal: true });
      } catch (error) {
        if (error.isFinal) throw error;
      }
      this.frame.say("The server cannot be reached; trying again. Nothing that you have voted is lost.");
      await new Promise((resolve) => setTimeout(resolve, Math.min(500 * 2 ** tries, 8000)));
    }
  }

  async load(position) {
    this.stopClock();
    delete document.documentElement.dataset.shown;
    const asked = this.ahead.get(position) ?? this.fetchTrial(position);
    this.ahead.delete(position);
    this.wanted = position;
    let trial;
    try {
      trial = await asked;
    } catch (error) {
      return this.frame.say(`${error.message}.`);
    }
    if (this.wanted === position) this.show(trial);
    return undefined;
  }

  show(trial) {
    const { position } = trial;
    Object.assign(this, { trial, position, since: null });
    this.open ??= new Set(trial.open);
    trial.vote = this.saving.voteOf(this.address(position)) ?? trial.vote;
    this.ballot = new this.TrialBallot(trial);
    this.row.subject = null;
    this.seconds = trial.vote?.seconds ?? 0;
    this.frame.say("");
    this.frame.where.textContent = `Trial ${position} of ${this.total}`;
    this.frame.badge.hidden = this.part !== "training";
    this.wall.open(trial);
    this.showBallot();
    this.showProgress();
    history.replaceState(null, "", `vote?part=${this.part}&position=${position}`);
    document.title = `Trial ${position} of ${this.total}`;
    this.startClock();
  }

  // Ask for the next trial and the tiles of its first view, so that it is there at once.
  prepare() {
    const next = this.position + 1;
    if (next > this.total || this.ahead.has(next)) return;
    const asked = this.fetchTrial(next);
    this.ahead.set(next, asked);
    const { clientWidth, clientHeight } = this.wall.views[0].figure;
    const needed = Math.max(clientWidth, clientHeight) * window.devicePixelRatio;
    asked.then(({ image, input, candidates }) => {
      for (const each of [input, ...candidates]) {
        for (const tile of tilesOfWhole({ ...image, ...each }, image.tile, needed)) new Image().src = tile;
      }
    }, () => this.ahead.delete(next));
  }

  next() {
    if (this.position < this.total) return this.load(this.position + 1);
    if (this.saving.isWaiting) return this.frame.say("Your last vote is on its way; go on in a moment.");
    location.assign(this.end);
    return undefined;
  }

  back() {
    if (this.position > 1) this.load(this.position - 1);
  }

  get end() {
    return this.part === "training" ? "vote" : "done";
  }

  showPlaces() {
    const endWords = this.part === "training" ? "Leave the training" : "To the end";
    this.frame.showPlaces({ total: this.total, position: this.position, open: this.open, end: this.end, endWords, onGo: (place) => this.load(place) });
  }

  // ---- The vote

  select(label) {
    this.row.subject = label;
    this.wall.setCurrent(this.wall.viewOf(label));
    this.showBallot();
  }

  go(label) {
    this.wall.go(label);
    if (this.ballot.subjectAfter(label) !== label) return;
    this.row.subject = label;
    this.showBallot();
  }

  click(label) {
    if (this.ballot.click) this.vote((ballot) => ballot.click(label), label);
    else this.select(label);
  }

  vote(act, label) {
    if (!this.ballot || this.trial.is_locked || !act(this.ballot)) return;
    if (label) this.row.subject = label;
    this.changed();
  }

  undo() {
    if (this.ballot?.undo()) this.changed();
  }

  changed() {
    if (this.ballot.isEmpty) this.open.add(this.position);
    else this.open.delete(this.position);
    this.showBallot();
    this.showProgress();
    this.saving.add(this.address(this.position), { ...this.ballot.plain(), seconds: Math.round(this.lookedFor() * 10) / 10 });
  }

  showBallot() {
    const { ballot, trial } = this;
    this.wall.showPicks((label) => ballot.valueOf(label), (value) => ballot.say(value));
    this.wall.showRegions(ballot.now.regions);
    this.row.draw(ballot, { criteria: trial.criteria, isLocked: trial.is_locked, isFirst: this.position === 1, isLast: this.position === this.total });
  }

  showProgress() {
    this.frame.showProgress(this.total - this.open.size, this.total, this.trial.seconds_per_trial);
  }

  showSaving(state, answer) {
    this.frame.showSaving(state);
    if (state === "refused") this.frame.say(`Your vote was not taken: ${answer.error}`);
  }

  // ---- The clock: it stands while paused, while covered, and while another window is before this one

  startClock() {
    if (this.since === null && this.trial && this.frame.cover.hidden && !document.hidden) this.since = performance.now();
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
    this.frame.coverWith("Paused", "The pictures are covered and the clock stands. Your votes are saved; you can also close the window.", true);
  }

  resume() {
    this.frame.cover.hidden = true;
    this.checkWindow();
    this.startClock();
    if (this.frame.cover.hidden) this.wall.current?.button.focus({ preventScroll: true });
  }

  // Cover the pictures in a window that is not fit to judge in; it may have been made smaller since the check.
  checkWindow() {
    const facts = findFacts();
    const obstacle = findObstacle(facts, ...this.least);
    const hadOne = this.hasObstacle;
    this.hasObstacle = Boolean(obstacle);
    this.frame.zoomed.hidden = facts.zoom_percent === 100;
    this.frame.zoomed.textContent = `browser zoom ${facts.zoom_percent} %: Ctrl+0`;
    if (obstacle) {
      this.stopClock();
      this.frame.coverWith("Not on this screen", obstacle, false);
    } else if (hadOne) this.resume();
  }

  setMarking(isOn) {
    this.wall.mark(isOn);
    this.frame.markButton.ariaPressed = String(isOn);
  }

  // ---- Keys

  listen() {
    addEventListener("keydown", (event) => this.onKey(event));
    addEventListener("keyup", (event) => this.onKeyUp(event));
    addEventListener("blur", () => { this.wall.release(); if (this.isHoldingMark) this.setMarking(this.isHoldingMark = false); });
    addEventListener("resize", () => this.checkWindow());
    document.addEventListener("visibilitychange", () => (document.hidden ? this.stopClock() : this.startClock()));
  }

  onKey(event) {
    if (!this.trial || this.frame.keys.open || this.frame.places.open || event.altKey) return;
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    if ((event.ctrlKey || event.metaKey) && key !== "z") return;
    if (!this.frame.cover.hidden) {
      if (key === "p" && !this.hasObstacle) this.resume();
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
    const { wall } = this;
    if (event.ctrlKey || event.metaKey) return () => this.undo();
    // Letters of candidates go first; commands are letters from L on, and signs.
    if (this.ballot.labels.includes(key.toUpperCase())) return () => this.go(key.toUpperCase());
    const label = this.current;
    if ("12345".includes(key)) return () => this.vote((ballot) => ballot.set(label, Number(key)), label);
    const commands = {
      Backspace: () => this.vote((ballot) => ballot.remove(label)), u: () => this.undo(), z: () => wall.zoomTo(1),
      "+": () => wall.zoomStep(true), "=": () => wall.zoomStep(true), "-": () => wall.zoomStep(false),
      x: () => wall.fit(), l: () => wall.promote(), Enter: () => wall.fill(),
      q: () => wall.hold(wall.previous), " ": () => wall.hold(wall.views[0]),
      r: () => { if (!event.repeat) this.setMarking(this.isHoldingMark = true); }, m: () => wall.markView(),
      n: () => this.next(), v: () => this.back(), t: () => this.showPlaces(), p: () => this.pause(),
      "?": () => this.frame.keys.showModal(), 0: () => wall.go("Input"), Escape: () => wall.front && wall.fill(),
      ArrowLeft: () => wall.panBy(-1, 0), ArrowRight: () => wall.panBy(1, 0),
      ArrowUp: () => wall.panBy(0, -1), ArrowDown: () => wall.panBy(0, 1),
    };
    return commands[key];
  }

  onKeyUp(event) {
    const key = event.key.toLowerCase();
    if (key === "q" || key === " ") this.wall.release();
    if (key === "r" && this.isHoldingMark) this.setMarking(this.isHoldingMark = false);
  }
}

const root = document.getElementById("judging");
if (root && window.OpenSeadragon) new Judging(root, (await import(root.dataset.ballot)).TrialBallot);
