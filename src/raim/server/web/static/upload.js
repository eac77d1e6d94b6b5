// <form data-upload data-create="/api/v1/c/ID/submissions">: hashes the chosen file here, promises it to the server, sends it
// by the tus protocol and goes to its page: of a submission, or of a challenge that is uploaded. A lost connection goes on by itself; so does a reload in which
// the same file is chosen again, as the server knows it by its SHA-256. Without this script the form sends it plainly.
// What it is for: fields named phase and kind, or the checked input that has data-phase and data-kind.

const CHUNK_BYTES = 8 * 2 ** 20;
const RETRY_MS = [1000, 2000, 4000, 8000, 15000];
const RETRIES = 2000; // at most 15 s apart: about eight hours without a connection
const GO_ON = new Set([0, 408, 423, 425, 429, 460, 500, 502, 503, 504]); // statuses after which a later try may succeed

class Refusal extends Error {
  constructor(message, problems = []) {
    super(message);
    this.problems = problems;
  }
}

export function describeBytes(count) {
  const units = ["bytes", "KiB", "MiB", "GiB"];
  let size = count;
  let step = 0;
  while (size >= 1024 && step < units.length - 1) {
    size /= 1024;
    step += 1;
  }
  return step ? `${size.toFixed(1)} ${units[step]}` : `${count} bytes`;
}

// What the server says is wrong, from the text of an answer.
export function readRefusal(text, status) {
  try {
    const { message, problems } = JSON.parse(text).error;
    return new Refusal(message, problems ?? []);
  } catch {
    return new Refusal(`The server answered ${status} without saying why; try again, or tell the organisers.`);
  }
}

function hashFile(file, onProgress) {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL("hash-worker.js", import.meta.url), { type: "module" });
    const fail = (reason) => reject(new Refusal(`The file cannot be read (${reason}); choose it again.`));
    worker.onmessage = ({ data }) => {
      if (data.done !== undefined) return onProgress(data.done);
      worker.terminate();
      return data.error ? fail(data.error) : resolve(data.sha256);
    };
    worker.onerror = (event) => fail(event.message ?? "the script hash-worker.js did not load");
    worker.postMessage({ file });
  });
}

async function promise(address, wanted) {
  let answer;
  try {
    answer = await fetch(address, {
      method: "POST",
      headers: { "Content-Type": "application/json", Accept: "application/json" },
      body: JSON.stringify(wanted),
    });
  } catch {
    throw new Refusal("The server cannot be reached. Nothing was sent yet; press Submit again once you are connected.");
  }
  if (answer.redirected) throw new Refusal("You are logged out. Log in in another tab, then press Submit again.");
  const text = await answer.text();
  if (!answer.ok) throw readRefusal(text, answer.status);
  return JSON.parse(text);
}

function send(file, url, { onProgress, onLost, onStart }) {
  return new Promise((resolve, reject) => {
    let conflicts = 0;
    const upload = new window.tus.Upload(file, {
      uploadUrl: url,
      chunkSize: CHUNK_BYTES,
      headers: { Accept: "application/json" },
      retryDelays: Array.from({ length: RETRIES }, (_, attempt) => RETRY_MS[Math.min(attempt, RETRY_MS.length - 1)]),
      storeFingerprintForResuming: false,
      onProgress,
      onShouldRetry: (error) => {
        const status = error.originalResponse?.getStatus() ?? 0;
        if (status === 409) conflicts += 1; // another tab, or a piece whose answer got lost: ask where to go on
        const goesOn = GO_ON.has(status) || (status === 409 && conflicts <= 5 && !isMismatch(error));
        if (goesOn) onLost(status);
        if (!status) checkReadable(file).catch((reason) => upload.abort().then(() => reject(reason)));
        return goesOn;
      },
      onError: (error) => {
        const answer = error.originalResponse;
        reject(answer ? readRefusal(answer.getBody(), answer.getStatus()) : new Refusal(
          "The server could not be reached for hours. What was sent is kept: choose the same file again to go on."));
      },
      onSuccess: resolve,
    });
    onStart(upload);
    upload.start();
  });
}

// A file that has changed or gone since it was chosen fails in the same way as a connection.
async function checkReadable(file) {
  try {
    await file.slice(0, 1).arrayBuffer();
  } catch {
    throw new Refusal(`${file.name} has changed or gone since you chose it; choose it again.`);
  }
}

function isMismatch(error) {
  try {
    return JSON.parse(error.originalResponse.getBody()).error.code === "content_mismatch";
  } catch {
    return false;
  }
}

// The part of the page that tells how far it is.
class Panel {
  constructor(form) {
    this.status = Object.assign(document.createElement("p"), { className: "upload-status", role: "status" });
    this.bar = Object.assign(document.createElement("progress"), { className: "bar", max: 1, value: 0, hidden: true });
    this.bar.ariaLabel = "Progress of the upload";
    this.detail = Object.assign(document.createElement("p"), { className: "muted" }); // changes too often to be read out
    this.problem = Object.assign(document.createElement("div"), { className: "problem", role: "alert", hidden: true });
    this.pause = Object.assign(document.createElement("button"), { type: "button", textContent: "Pause", hidden: true });
    form.append(this.problem, this.status, this.bar, this.detail, this.pause);
  }

  say(words) {
    if (this.status.textContent !== words) this.status.textContent = words;
  }

  progress(verb, done, total) {
    const tenth = Math.floor((10 * done) / Math.max(total, 1)) * 10;
    this.say(tenth ? `${verb}: ${tenth} %` : `${verb} …`);
    this.bar.hidden = false;
    this.bar.max = Math.max(total, 1);
    this.bar.value = done;
    this.detail.textContent = `${describeBytes(done)} of ${describeBytes(total)}`;
  }

  fail(error) {
    const text = Object.assign(document.createElement("p"), { textContent: error.message });
    const list = document.createElement("ul");
    const others = (error.problems ?? []).filter((each) => !error.message.includes(each));
    list.append(...others.map((each) => Object.assign(document.createElement("li"), { textContent: each })));
    this.problem.replaceChildren(text, ...(others.length ? [list] : []));
    this.problem.hidden = false;
    this.say("");
    this.bar.hidden = true;
    this.detail.textContent = "";
    this.pause.hidden = true;
  }

  clear() {
    this.problem.hidden = true;
  }
}

function readWanted(form) {
  const fields = new FormData(form);
  const target = form.querySelector("input[data-phase]:checked");
  const phase = target?.dataset.phase ?? fields.get("phase");
  if (phase === null) return {}; // a challenge
  return { phase, kind: target?.dataset.kind ?? fields.get("kind"), note: fields.get("note") ?? "" };
}

async function run(form, file, wanted, panel, onStart) {
  if (!file.size) throw new Refusal("The file is empty; choose another one.");
  const most = Number(form.dataset.maxBytes ?? Infinity);
  if (file.size > most) {
    throw new Refusal(`${file.name} has ${describeBytes(file.size)}; at most ${describeBytes(most)} can be sent.`);
  }
  const sha256 = await hashFile(file, (done) => panel.progress("Reading the file", done, file.size));
  const promised = { ...wanted, file_name: file.name, n_bytes: file.size, sha256 };
  const begun = await promise(form.dataset.create, promised);
  const { page, upload } = { ...begun.submission, ...begun };
  if (!upload) return page; // it is there whole already
  panel.pause.hidden = false;
  await send(file, upload.url, {
    onStart,
    onProgress: (done, total) => panel.progress("Sending", done, total),
    onLost: (status) => panel.say(status
      ? `The server is busy (${status}); trying again …`
      : "The connection is lost; it goes on by itself as soon as it is back. Keep this page open."),
  });
  panel.progress("Sending", file.size, file.size);
  panel.say("All is sent.");
  return page;
}

function makeDropZone(input) {
  const zone = input.closest(".field") ?? input.parentElement;
  const name = Object.assign(document.createElement("p"), { className: "hint", textContent: "… or drop it here" });
  zone.classList.add("drop");
  input.after(name);
  const mark = (isOver) => zone.classList.toggle("is-over", isOver);
  zone.addEventListener("dragover", (event) => {
    event.preventDefault();
    mark(true);
  });
  zone.addEventListener("dragleave", (event) => mark(zone.contains(event.relatedTarget)));
  zone.addEventListener("drop", (event) => {
    event.preventDefault();
    mark(false);
    if (input.disabled || !event.dataTransfer.files.length) return;
    const first = new DataTransfer();
    first.items.add(event.dataTransfer.files[0]);
    input.files = first.files;
    input.dispatchEvent(new Event("change", { bubbles: true }));
  });
  input.addEventListener("change", () => {
    const [file] = input.files;
    name.textContent = file ? `${file.name}, ${describeBytes(file.size)}` : "… or drop it here";
  });
  // A file dropped beside the zone would replace the page.
  for (const kind of ["dragover", "drop"]) addEventListener(kind, (event) => event.preventDefault());
}

function enhance(form) {
  const input = form.querySelector("input[type=file]");
  const panel = new Panel(form);
  let upload = null;
  let isPaused = false;
  makeDropZone(input);

  const setBusy = (isBusy) => {
    for (const each of form.querySelectorAll("input, textarea, select, .button")) each.disabled = isBusy;
  };
  const goOn = () => {
    if (!upload || isPaused) return;
    upload.abort(); // ends the wait for the next try
    upload.start();
  };
  const warn = (event) => event.preventDefault();

  panel.pause.addEventListener("click", () => {
    isPaused = !isPaused;
    panel.pause.textContent = isPaused ? "Go on" : "Pause";
    if (!isPaused) return goOn();
    upload.abort();
    return panel.say("Paused. What was sent is kept.");
  });
  addEventListener("online", goOn);

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (!form.reportValidity() || !input.files.length) return;
    const [file] = input.files;
    const wanted = readWanted(form); // before the fields are disabled: a disabled one has no value
    panel.clear();
    setBusy(true);
    addEventListener("beforeunload", warn);
    try {
      const page = await run(form, file, wanted, panel, (started) => {
        upload = started;
      });
      removeEventListener("beforeunload", warn);
      location.assign(page);
    } catch (error) {
      removeEventListener("beforeunload", warn);
      panel.fail(error instanceof Refusal ? error : new Refusal(`The page's script failed: ${error.message}`));
      upload = null;
      setBusy(false);
    }
  });
}

if (typeof document !== "undefined" && window.tus?.isSupported) {
  document.querySelectorAll("form[data-upload]").forEach(enhance);
}
