// Votes on their way to the server: one at a time, kept in the browser until the server has said that it has them.

const WAITS_MS = [500, 1000, 2000, 4000, 8000];
const KEPT = "raim-judging ";

export class Saving {
  constructor(token, onState) {
    this.token = token;
    this.onState = onState;
    this.queue = new Map(); // address -> vote; a later vote replaces one that waits
    this.isSending = false;
    this.failures = 0;
    this.recall();
    addEventListener("beforeunload", (event) => { if (this.isWaiting) event.preventDefault(); });
    addEventListener("online", () => this.send());
  }

  get isWaiting() {
    return this.isSending || this.queue.size > 0;
  }

  // Votes that an earlier page could not send.
  recall() {
    try {
      for (const key of Object.keys(localStorage).filter((each) => each.startsWith(KEPT))) {
        this.queue.set(key.slice(KEPT.length), JSON.parse(localStorage.getItem(key)));
      }
    } catch { /* the browser keeps nothing */ }
    if (this.queue.size) this.send();
  }

  // The vote of an address that is still on its way, if there is one.
  waitingFor(address) {
    return this.queue.get(address);
  }

  add(address, vote) {
    this.queue.set(address, vote);
    try {
      localStorage.setItem(KEPT + address, JSON.stringify(vote));
    } catch { /* as above */ }
    this.send();
  }

  async send() {
    if (this.isSending) return;
    this.isSending = true;
    while (this.queue.size) {
      const [address, vote] = this.queue.entries().next().value;
      this.onState("saving");
      const answer = await this.put(address, vote);
      if (answer === null) {
        this.onState("waiting");
        const wait = WAITS_MS[Math.min(this.failures, WAITS_MS.length - 1)];
        this.failures += 1;
        await new Promise((resolve) => setTimeout(resolve, wait));
        continue;
      }
      this.failures = 0;
      if (this.queue.get(address) === vote) {
        this.queue.delete(address);
        try {
          localStorage.removeItem(KEPT + address);
        } catch { /* as above */ }
      }
      this.onState(answer.error ? "refused" : "saved", answer);
    }
    this.isSending = false;
  }

  // Give what the server says; null if it could not be asked, or is in trouble, and the vote has to be sent again.
  async put(address, vote) {
    try {
      const reply = await fetch(address, {
        method: "PUT", body: JSON.stringify(vote),
        headers: { "Content-Type": "application/json", Accept: "application/json", "X-CSRF-Token": this.token },
      });
      if (reply.status >= 500 || reply.status === 429) return null;
      const answer = await reply.json();
      return reply.ok ? answer : { error: answer.error?.message ?? `the server answers ${reply.status}` };
    } catch {
      return null;
    }
  }
}
