// A ballot: what a judge says of one trial, and what was before, for undo. How it is filled in stands in the script of
// the study's mode, as `TrialBallot`: isComplete, say(value), slots, about(label), subjectAfter(label), set(label, value),
// and click(label) where a click votes.

const EMPTY = { choice: [], ratings: {}, reasons: {}, regions: [] };

export class Ballot {
  constructor(trial) {
    this.nPicks = trial.n_picks;
    this.labels = trial.candidates.map((each) => each.label);
    const { choice, ratings, reasons, regions } = trial.vote ?? EMPTY;
    this.now = structuredClone({ choice, ratings, reasons, regions });
    this.before = [];
  }

  get isEmpty() {
    return !this.now.choice.length && !Object.keys(this.now.ratings).length;
  }

  // Give the place of a candidate, from 1, or its grade; 0 for none.
  valueOf(label) {
    return this.now.ratings[label] ?? this.now.choice.indexOf(label) + 1;
  }

  remove(label) {
    if (!this.valueOf(label)) return false;
    return this.change((next) => {
      next.choice = next.choice.filter((each) => each !== label);
      delete next.ratings[label];
    });
  }

  toggleReason(label, criterion) {
    return this.change((next) => {
      const named = new Set(next.reasons[label] ?? []);
      if (!named.delete(criterion)) named.add(criterion);
      next.reasons[label] = [...named];
    });
  }

  addRegion(region) {
    return this.change((next) => { next.regions = [...next.regions, region].slice(-20); });
  }

  clearRegions() {
    return this.now.regions.length > 0 && this.change((next) => { next.regions = []; });
  }

  undo() {
    if (!this.before.length) return false;
    this.now = this.before.pop();
    return true;
  }

  change(act) {
    this.before.push(structuredClone(this.now));
    act(this.now);
    const chosen = (label) => this.valueOf(label) > 0;
    this.now.reasons = Object.fromEntries(
      Object.entries(this.now.reasons).filter(([label, names]) => names.length && chosen(label)));
    return true;
  }

  plain() {
    return structuredClone(this.now);
  }
}
