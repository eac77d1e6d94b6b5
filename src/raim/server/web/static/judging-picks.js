// A ballot on which candidates are picked, best first.

import { Ballot } from "./judging-ballot.js";

const ORDINALS = ["", "1st", "2nd", "3rd"];

export class TrialBallot extends Ballot {
  get isComplete() {
    return this.now.choice.length >= Math.min(this.nPicks, this.labels.length);
  }

  say(place) {
    return this.nPicks === 1 ? "best" : ORDINALS[place] ?? `${place}th`;
  }

  get slots() {
    return Array.from({ length: Math.min(this.nPicks, this.labels.length) }, (_, at) => {
      const label = this.now.choice[at];
      return { label, words: `${this.say(at + 1)}: ${label ?? "–"}`, title: label ? `Reasons for ${label}` : "Still free" };
    });
  }

  about() {
    return [];
  }

  // Give the candidate whose reasons are shown: this one if it is picked, else the last pick.
  subjectAfter(label) {
    return label && this.valueOf(label) ? label : this.now.choice.at(-1) ?? null;
  }

  // Put a candidate at a place (from 1). Who stood there moves to the place that comes free.
  set(label, value) {
    if (!this.labels.includes(label) || value < 1 || value > this.nPicks) return false;
    return this.change((next) => {
      const from = next.choice.indexOf(label);
      const place = Math.min(value - 1, from < 0 ? next.choice.length : next.choice.length - 1);
      if (from >= 0) [next.choice[from], next.choice[place]] = [next.choice[place], label];
      else if (next.choice.length > place) {
        const moved = next.choice[place];
        next.choice[place] = label;
        if (next.choice.length < this.nPicks) next.choice.push(moved);
      } else next.choice.push(label);
    });
  }

  // The next free place; a picked one is taken back.
  click(label) {
    if (this.now.choice.includes(label)) return this.remove(label);
    if (this.now.choice.length >= this.nPicks) return this.nPicks === 1 && this.set(label, 1);
    return this.set(label, this.now.choice.length + 1);
  }
}
