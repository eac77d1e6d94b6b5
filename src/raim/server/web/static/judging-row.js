// The row under the pictures: who stands where, the reasons of one of them, and the way on. It always holds the same
// number of lines, or the pictures above it would jump with every vote.

import { make } from "./pixels.js";

const ORDINALS = ["", "1st", "2nd", "3rd"];
const GRADES = ["", "bad", "poor", "fair", "good", "excellent"];

function press(words, title, act, fields = {}) {
  const made = make("button", { type: "button", title, ...fields }, words);
  made.addEventListener("click", act);
  return made;
}

// Say a place or a grade in words.
export function sayValue(ballot, value) {
  if (ballot.mode === "rating") return `${value} ${GRADES[value]}`;
  return ballot.nPicks === 1 ? "best" : ORDINALS[value] ?? `${value}th`;
}

export class BallotRow {
  // acts: select(label), grade(label, value), reason(label, criterion), clearRegions(), undo(), back(), next()
  constructor(root, acts) {
    this.root = root;
    this.acts = acts;
    this.subject = null; // the candidate whose reasons are shown
  }

  draw(ballot, { criteria, isLocked, isFirst, isLast }) {
    const focused = this.root.contains(document.activeElement) ? document.activeElement.dataset.key : null;
    if (!ballot.labels.includes(this.subject) || (ballot.mode !== "rating" && !ballot.valueOf(this.subject))) {
      this.subject = ballot.mode === "rating" ? ballot.labels[0] : ballot.now.choice.at(-1) ?? null;
    }
    this.root.replaceChildren(
      this.slots(ballot), this.about(ballot, criteria, isLocked), make("span", { className: "space" }),
      this.ways(ballot, { isLocked, isFirst, isLast }));
    if (focused) this.root.querySelector(`[data-key="${CSS.escape(focused)}"]:not(:disabled)`)?.focus();
  }

  slots(ballot) {
    const group = make("span", { className: "slots", role: "group", ariaLabel: "Your vote" });
    const add = (words, label, title) => {
      const made = press(words, title, () => this.acts.select(label), { disabled: !label });
      made.ariaPressed = String(Boolean(label) && label === this.subject);
      made.dataset.key = `slot ${words[0]}${label}`;
      group.append(made);
    };
    if (ballot.mode === "rating") {
      for (const label of ballot.labels) add(`${label} ${ballot.valueOf(label) || "–"}`, label, `Grade and reasons of ${label}`);
    } else {
      for (let place = 0; place < Math.min(ballot.nPicks, ballot.labels.length); place += 1) {
        const label = ballot.now.choice[place];
        add(`${sayValue(ballot, place + 1)}: ${label ?? "–"}`, label, label ? `Reasons for ${label}` : "Still free");
      }
    }
    return group;
  }

  // What is said about one candidate: its grade where grades are given, and why.
  about(ballot, criteria, isLocked) {
    const label = this.subject;
    const isChosen = Boolean(label) && ballot.valueOf(label) > 0;
    const group = make("span", { className: "about", role: "group", ariaLabel: label ? `About ${label}` : "Reasons" });
    const add = (words, title, isOn, isOff, act) => {
      const made = press(words, title, act, { className: "reason", disabled: isOff || isLocked, ariaPressed: String(isOn) });
      made.dataset.key = words;
      group.append(made);
    };
    if (ballot.mode === "rating") {
      for (let grade = 1; grade <= 5; grade += 1) {
        add(String(grade), `${label}: ${GRADES[grade]}`, ballot.valueOf(label) === grade, false, () => this.acts.grade(label, grade));
      }
    }
    group.append(make("span", { className: "because quiet" }, label ? `${label} because of` : "because of"));
    for (const criterion of criteria) {
      const isOn = isChosen && (ballot.now.reasons[label]?.includes(criterion) ?? false);
      add(criterion, isChosen ? `${label}: because of ${criterion}` : "Choose first", isOn, !isChosen, () => this.acts.reason(label, criterion));
    }
    return group;
  }

  ways(ballot, { isLocked, isFirst, isLast }) {
    const { acts } = this;
    const marked = ballot.now.regions.length;
    const group = make("span", { className: "ways", role: "group", ariaLabel: "On and back" });
    const add = (words, title, act, fields) => {
      const made = press(words, title, act, fields);
      made.dataset.key = title;
      group.append(made);
    };
    if (marked) add(`${marked} marked ×`, "Take all marked regions back", acts.clearRegions, { disabled: isLocked });
    add("Undo", "Undo (U)", acts.undo, { disabled: !ballot.before.length });
    add("Back", "Trial before (V)", acts.back, { disabled: isFirst });
    add(isLast ? "To the end" : "Next", "Next trial (N)", acts.next, { className: ballot.isComplete ? "next main" : "next" });
    return group;
  }
}
