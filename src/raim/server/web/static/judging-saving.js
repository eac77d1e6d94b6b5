// Votes on their way to the server: one at a time, kept in the browser until the server has said that it has them.

const WAITS_MS = [500, 1000, 2000, 4000, 8000];

export class Saving {
  // keeper: what the server calls this judge; another judge's votes in the same browser are not ours to send
  constructor(keeper, onState) {
    this.kept = `raim-judging ${keeper} `;
    this.keeper = keeper;
    this.onState = onState;
    this.queue = new Map(); // address -> vote; a later vote replaces one that waits
    this.newest = new Map(); // address -> vote that this page has or had to send: newer than what it asked the server for
    this.isSending = false;
    this.failures = 0;
    this.recall();
    addEventListener("beforeunload", (event) => { if (this.isWaiting) event.preventDefault(); });
  }

  get isWaiting() {
    return this.isSending || this.queue.size > 0;
  }

  // Votes that an earlier page could not send.
  recall() {
    try {
      for (const key of Object.keys(localStorage).filter((each) => each.startsWith(this.kept))) {
        this.queue.set(key.slice(this.kept.length), JSON.parse(localStorage.getItem(key)));
      }
      for (const [address, vote] of this.queue) this.newest.set(address, vote);
    } catch { /* the browser keeps nothing */ }
    if (this.queue.size) queueMicrotask(() => this.send());
  }

  // The vote of an address that is or was on its way from this page, if there is one.
  voteOf(address) {
    return this.newest.get(address);
  }

  add(address, vote) {
    this.queue.set(address, vote);
    this.newest.set(address, vote);
    try {
      localStorage.setItem(this.kept + address, JSON.stringify(vote));
    } catch { /* as above */ }
    this.send();
  }

  forget(address) {
    this.queue.delete(address);
    try {
      localStorage.removeItem(this.kept + address);
    } catch { /* as above */ }
  }

  async send() {
    if (this.isSending) return;
    this.isSending = true;
    while (this.queue.size) {
      const [address, vote] = this.queue.entries().next().value;
      this.onState("saving");
      const answer = await this.post(address, vote);
      if (answer === null) {
        this.onState("waiting");
        await new Promise((resolve) => setTimeout(resolve, WAITS_MS[Math.min(this.failures, WAITS_MS.length - 1)]));
        this.failures += 1;
        continue;
      }
      this.failures = 0;
      if (answer.error && this.newest.get(address) === vote) this.newest.delete(address);
      if (this.queue.get(address) === vote) this.forget(address);
      this.onState(answer.error ? "refused" : "saved", answer);
    }
    this.isSending = false;
  }

  // Give what the server says; null if it could not be asked, or is in trouble, and the vote has to be sent again.
  async post(address, vote) {
    try {
      const reply = await fetch(address, {
        method: "POST", body: JSON.stringify(vote),
        headers: { "Content-Type": "application/json", Accept: "application/json", "X-Raim-Judge": this.keeper },
      });
      if (reply.status >= 500 || reply.status === 429) return null;
      const answer = await reply.json();
      return reply.ok ? answer : { error: answer.error?.message ?? `the server answers ${reply.status}` };
    } catch {
      return null;
    }
  }
}
