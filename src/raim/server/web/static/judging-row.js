// The row under the pictures: who stands where, the reasons of one of them, and the way on. It always holds the same
// number of lines, or the pictures above it would jump with every vote.

import { make } from "./pixels.js";

function press(words, title, act, fields = {}) {
  const made = make("button", { type: "button", title, ...fields }, words);
  made.addEventListener("click", act);
  return made;
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
    this.subject = ballot.subjectAfter(ballot.labels.includes(this.subject) ? this.subject : null);
    this.root.replaceChildren(
      this.slots(ballot), this.about(ballot, criteria, isLocked), make("span", { className: "space" }),
      this.ways(ballot, { isLocked, isFirst, isLast }));
    if (focused) this.root.querySelector(`[data-key="${CSS.escape(focused)}"]:not(:disabled)`)?.focus();
  }

  slots(ballot) {
    const group = make("span", { className: "slots", role: "group", ariaLabel: "Your vote" });
    for (const { words, label, title } of ballot.slots) {
      const made = press(words, title, () => this.acts.select(label), { disabled: !label });
      made.ariaPressed = String(Boolean(label) && label === this.subject);
      made.dataset.key = `slot ${words[0]}${label}`;
      group.append(made);
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
    for (const { value, title } of ballot.about(label)) {
      add(String(value), title, ballot.valueOf(label) === value, false, () => this.acts.grade(label, value));
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
