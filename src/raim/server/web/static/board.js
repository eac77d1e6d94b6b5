// <table data-sortable>: the headings become buttons that sort. <input data-filter="table-id">: hides other rows.
// A cell sorts by its data-value, its <time datetime>, its number or its text; a row without a value comes after those
// with one, and rows of class is-unranked come last, whichever way.

const MISSING = new Set(["", "-", "–", "—"]);
const collator = new Intl.Collator("en", { numeric: true, sensitivity: "base" });

// Give a number, a text, or null where there is no value.
export function readValue(text) {
  const word = text.trim();
  if (MISSING.has(word)) return null;
  if (/^[+-]?(∞|inf)$/.test(word)) return word.startsWith("-") ? -Infinity : Infinity;
  const plain = word.replace(/^−/, "-").replace(/[\s, %]/g, "");
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(plain) ? Number(plain) : word;
}

export function compareValues(one, other) {
  if (typeof one === "number" && typeof other === "number") return one === other ? 0 : one - other;
  if (typeof one !== typeof other) return typeof one === "number" ? -1 : 1;
  return collator.compare(one, other);
}

// Sort [{value, isUnranked, ...}]; equal ones keep their order.
export function sortRows(rows, isDescending) {
  const direction = isDescending ? -1 : 1;
  return [...rows].sort((one, other) => {
    if (one.isUnranked !== other.isUnranked) return one.isUnranked ? 1 : -1;
    if ((one.value === null) !== (other.value === null)) return one.value === null ? 1 : -1;
    return one.value === null ? 0 : direction * compareValues(one.value, other.value);
  });
}

function cellValue(row, column) {
  let at = 0;
  for (const cell of row.cells) {
    if (at === column && cell.colSpan === 1) {
      if (cell.dataset.value !== undefined) return readValue(cell.dataset.value);
      const time = cell.querySelector("time[datetime]");
      return time ? Date.parse(time.dateTime) : readValue(cell.textContent);
    }
    at += cell.colSpan;
    if (at > column) return null; // a wide cell in place of values
  }
  return null;
}

function sortTable(table, heading, column) {
  const now = heading.ariaSort;
  const first = heading.dataset.first ?? (heading.textContent.includes("↑") ? "descending" : "ascending");
  const next = { ascending: "descending", descending: "ascending" }[now] ?? first;
  for (const each of table.tHead.querySelectorAll("th[aria-sort]")) each.removeAttribute("aria-sort");
  heading.ariaSort = next;
  for (const body of table.tBodies) {
    const rows = [...body.rows].map((row) => ({
      row, value: cellValue(row, column), isUnranked: row.classList.contains("is-unranked"),
    }));
    body.append(...sortRows(rows, next === "descending").map(({ row }) => row));
  }
}

function makeSortable(table) {
  const headings = table.tHead?.rows[table.tHead.rows.length - 1]?.cells ?? [];
  let column = 0;
  for (const heading of headings) {
    const place = column;
    column += heading.colSpan;
    const link = heading.querySelector("a"); // without this script it asks the server for another order
    const words = (link ?? heading).textContent.trim();
    if (!words || "unsorted" in heading.dataset) continue;
    const button = document.createElement("button");
    button.type = "button";
    button.append(...(link ?? heading).childNodes);
    if (link) link.replaceWith(button);
    else heading.append(button);
    button.addEventListener("click", () => sortTable(table, heading, place));
  }
}

const plain = (text) => text.normalize("NFKD").replace(/\p{Diacritic}/gu, "").toLowerCase();

export function matches(text, wanted) {
  const inside = plain(text);
  return plain(wanted).split(/\s+/).filter(Boolean).every((word) => inside.includes(word));
}

function makeFilter(input) {
  const table = document.getElementById(input.dataset.filter);
  if (!table) return;
  const count = document.createElement("span");
  count.className = "hint";
  count.role = "status";
  input.after(" ", count);
  const apply = () => {
    const rows = [...table.tBodies].flatMap((body) => [...body.rows]);
    for (const row of rows) {
      const name = row.querySelector("th[scope=row]") ?? row;
      row.hidden = !matches(name.textContent, input.value);
    }
    count.textContent = input.value.trim() ? `${rows.filter((row) => !row.hidden).length} of ${rows.length}` : "";
  };
  input.addEventListener("input", apply);
  input.form?.addEventListener("submit", (event) => event.preventDefault());
  if (input.value) apply(); // the browser has kept it over a reload
}

if (typeof document !== "undefined") {
  document.querySelectorAll("table[data-sortable]").forEach(makeSortable);
  document.querySelectorAll("input[data-filter]").forEach(makeFilter);
  // On a narrow screen a chart scrolls sideways: by keys too.
  document.querySelectorAll("figure:has(> svg.chart)").forEach((each) => each.tabIndex = 0);
}
