"use strict";

// A box whose table is wider says so; one that has nothing to scroll needs no stop for the keyboard.
function measure(box) {
  const wide = box.scrollWidth > box.clientWidth + 1;
  box.classList.toggle("cut", wide);
  box.tabIndex = wide || box.scrollHeight > box.clientHeight + 1 ? 0 : -1;
}
const boxes = new ResizeObserver(entries => entries.forEach(entry => measure(entry.target)));
document.querySelectorAll(".scroll").forEach(box => boxes.observe(box));

// What is folded away on the screen is printed all the same.
let folded = [];
addEventListener("beforeprint", () => {
  folded = [...document.querySelectorAll("details:not([open])")];
  folded.forEach(one => { one.open = true; });
});
addEventListener("afterprint", () => folded.forEach(one => { one.open = false; }));

// The scoreboard. Its filters and order stand in the address, so that a view can be shared.
function scoreboard(filters) {
  const keys = ["text", "paper", "verdict", "kind", "profile"];
  const table = document.getElementById("claims");
  const shown = document.getElementById("shown");
  const heads = [...table.tHead.rows[0].cells];
  const rows = [...table.tBodies[0].rows];
  const texts = new Map(rows.map(row => [row, row.textContent.toLowerCase()]));
  let order = { key: "", direction: "" };

  function filter() {
    const wanted = new FormData(filters);
    const words = wanted.get("text").toLowerCase().split(/\s+/).filter(Boolean);
    const counts = new Map();
    for (const row of rows) {
      const text = texts.get(row);
      row.hidden = !(words.every(word => text.includes(word)) &&
        keys.slice(1).every(key => !wanted.get(key) || row.dataset[key] === wanted.get(key)));
      if (!row.hidden) counts.set(row.dataset.verdict, (counts.get(row.dataset.verdict) ?? 0) + 1);
    }
    const verdicts = [...filters.elements.verdict.options].map(option => option.value).filter(name => counts.has(name));
    const total = [...counts.values()].reduce((sum, count) => sum + count, 0);
    const parts = verdicts.map(name => `${counts.get(name)} ${name}`).join(", ");
    shown.textContent = `${total} of ${rows.length} claims${parts && ": "}${parts}`;
  }

  function valueOf(row, column) {
    const cell = row.cells[column];
    return cell.dataset.value ?? cell.textContent.trim();
  }

  // What has no value comes last in either direction; rows that are level stay in the given order.
  function compare(first, second, sign) {
    if (!first || !second) return Number(!first) - Number(!second);
    const numbers = [Number(first), Number(second)];
    return sign * (numbers.some(Number.isNaN) ? first.localeCompare(second, "en", { numeric: true }) : numbers[0] - numbers[1]);
  }

  function sort() {
    const column = heads.findIndex(head => head.dataset.key === order.key);
    const sign = order.direction === "descending" ? -1 : 1;
    const sorted = column < 0 ? rows
      : rows.toSorted((a, b) => compare(valueOf(a, column), valueOf(b, column), sign));
    table.tBodies[0].append(...sorted);
    heads.forEach((head, index) => {
      if (index === column) head.setAttribute("aria-sort", order.direction);
      else head.removeAttribute("aria-sort");
    });
  }

  function read() {
    const state = new URLSearchParams(location.hash.slice(1));
    for (const key of keys) {
      const field = filters.elements[key];
      field.value = state.get(key) ?? "";
      if (field.selectedIndex === -1) field.value = "";
    }
    const key = state.get("sort") ?? "";
    order = heads.some(head => head.dataset.key === key)
      ? { key, direction: state.get("order") === "descending" ? "descending" : "ascending" }
      : { key: "", direction: "" };
    filter();
    sort();
  }

  function write() {
    const state = new URLSearchParams();
    for (const key of keys) if (filters.elements[key].value) state.set(key, filters.elements[key].value);
    if (order.key) {
      state.set("sort", order.key);
      state.set("order", order.direction);
    }
    const hash = state.size ? `#${state}` : "";
    history.replaceState(null, "", location.href.split("#")[0] + hash);
  }

  for (const head of heads) {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const again = order.key === head.dataset.key && order.direction === "ascending";
      order = { key: head.dataset.key, direction: again ? "descending" : "ascending" };
      sort();
      write();
    });
  }
  table.classList.add("sortable");
  for (const kind of ["input", "change"]) filters.addEventListener(kind, () => { filter(); write(); });
  filters.addEventListener("submit", event => event.preventDefault());
  filters.addEventListener("reset", event => {
    event.preventDefault();
    for (const key of keys) filters.elements[key].value = "";
    order = { key: "", direction: "" };
    filter();
    sort();
    write();
  });
  addEventListener("hashchange", () => {
    if (location.hash && !location.hash.includes("=")) return; // a link within the page
    read();
    if (location.hash) document.getElementById("scoreboard").scrollIntoView();
  });
  filters.hidden = false;
  read();
  if (location.hash.includes("=")) document.getElementById("scoreboard").scrollIntoView();
}

const filters = document.getElementById("filters");
if (filters) scoreboard(filters);
