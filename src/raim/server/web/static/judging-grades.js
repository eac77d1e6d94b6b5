// A ballot on which each candidate gets a grade.

import { Ballot } from "./judging-ballot.js";

const GRADES = ["", "bad", "poor", "fair", "good", "excellent"];

export class TrialBallot extends Ballot {
  get isComplete() {
    return this.labels.every((label) => this.valueOf(label));
  }

  say(grade) {
    return `${grade} ${GRADES[grade]}`;
  }

  get slots() {
    return this.labels.map((label) => ({ label, words: `${label} ${this.valueOf(label) || "–"}`, title: `Grade and reasons of ${label}` }));
  }

  // The grades that a candidate may be given.
  about(label) {
    return GRADES.slice(1).map((words, at) => ({ value: at + 1, title: `${label}: ${words}` }));
  }

  subjectAfter(label) {
    return label ?? this.labels[0];
  }

  set(label, value) {
    if (!this.labels.includes(label) || !GRADES[value]) return false;
    return this.change((next) => { next.ratings[label] = value; });
  }
}
