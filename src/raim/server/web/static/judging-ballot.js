// A ballot: picks in order or grades, the reasons of each pick, marked regions, and what was before, for undo.

const EMPTY = { choice: [], ratings: {}, reasons: {}, regions: [] };

export class Ballot {
  constructor(trial) {
    this.mode = trial.mode;
    this.nPicks = trial.n_picks;
    this.labels = trial.candidates.map((each) => each.label);
    const { choice, ratings, reasons, regions } = trial.vote ?? EMPTY;
    this.now = structuredClone({ choice, ratings, reasons, regions });
    this.before = [];
  }

  get isComplete() {
    if (this.mode === "rating") return this.labels.every((label) => this.now.ratings[label]);
    return this.now.choice.length >= Math.min(this.nPicks, this.labels.length);
  }

  get isEmpty() {
    return !this.now.choice.length && !Object.keys(this.now.ratings).length;
  }

  // Give the place of a candidate, from 1, or its grade; 0 for none.
  valueOf(label) {
    return this.mode === "rating" ? this.now.ratings[label] ?? 0 : this.now.choice.indexOf(label) + 1;
  }

  // Put a candidate at a place (from 1), or give it a grade. Who stood there moves to the place that comes free.
  set(label, value) {
    if (!this.labels.includes(label)) return false;
    if (this.mode === "rating") {
      if (value < 1 || value > 5) return false;
      return this.change((next) => { next.ratings[label] = value; });
    }
    if (value < 1 || value > this.nPicks) return false;
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

  // A click: the next free place; a picked one is taken back.
  toggle(label) {
    if (this.mode === "rating") return false;
    if (this.now.choice.includes(label)) return this.remove(label);
    if (this.now.choice.length >= this.nPicks) return this.nPicks === 1 && this.set(label, 1);
    return this.set(label, this.now.choice.length + 1);
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
