"use strict";
for (const root of document.querySelectorAll(".codsl .report:not([data-ready])")) {
  root.dataset.ready = "";
  const rows = [...root.querySelectorAll("[data-nodes]")];
  const says = root.querySelector(".says");
  const hint = "Point at a layer, or go there with the arrow keys, to see what it sees; a click keeps it.";
  let kept = null;

  const numbers = (text) => (text ? text.split(" ").map(Number) : []);
  const nodes = (row) => numbers(row.dataset.nodes);
  const reads = new Map();
  for (const row of rows) {
    if ("reads" in row.dataset) reads.set(nodes(row)[0], numbers(row.dataset.reads));
  }

  const upstream = (row) => {
    const [first, last] = nodes(row);
    const seen = new Set();
    const pending = [];
    for (let node = first; node <= last; node += 1) pending.push(node);
    while (pending.length) {
      const node = pending.pop();
      if (!seen.has(node)) {
        seen.add(node);
        pending.push(...(reads.get(node) || []));
      }
    }
    return seen;
  };

  const light = (row) => {
    const seen = row ? upstream(row) : new Set();
    root.classList.toggle("lit", Boolean(row));
    for (const each of rows) {
      const [first, last] = nodes(each);
      let found = false;
      for (let node = first; node <= last && !found; node += 1) found = seen.has(node);
      each.classList.toggle("seen", found);
      each.classList.toggle("here", each === row);
    }
    if (row) {
      const [from, to] = numbers(row.dataset.sees);
      root.style.setProperty("--from", `${from}%`);
      root.style.setProperty("--to", `${to}%`);
    }
    says.textContent = row ? row.getAttribute("aria-label") : hint;
  };

  const keep = (row) => {
    if (kept) kept.removeAttribute("aria-pressed");
    kept = row;
    if (kept) kept.setAttribute("aria-pressed", "true");
    light(kept);
  };

  const rowOf = (event) => event.target.closest && event.target.closest("[data-nodes]");
  const move = (from, step) => {
    const visible = rows.filter((row) => row.getClientRects().length);
    const to = visible[visible.indexOf(from) + step];
    if (to) to.focus();
  };

  root.addEventListener("pointerover", (event) => {
    const row = rowOf(event);
    if (row) light(row);
  });
  root.addEventListener("pointerleave", () => light(kept));
  root.addEventListener("focusin", (event) => {
    const row = rowOf(event);
    if (row && row.matches(":focus-visible")) light(row);
  });
  root.addEventListener("focusout", () => light(kept));
  root.addEventListener("click", (event) => {
    const row = rowOf(event);
    if (row && "reads" in row.dataset) keep(row === kept ? null : row);
    const fold = event.target.dataset.fold;
    if (fold !== undefined) {
      for (const block of root.querySelectorAll("details")) block.open = Boolean(fold);
    }
  });
  root.addEventListener("keydown", (event) => {
    const row = rowOf(event);
    if (event.key === "Escape") keep(null);
    if (!row || event.altKey || event.ctrlKey || event.metaKey) return;
    const block = row.matches("summary") ? row.parentElement : null;
    if (event.key === "ArrowDown") move(row, 1);
    else if (event.key === "ArrowUp") move(row, -1);
    else if (event.key === "ArrowRight" && block) block.open = true;
    else if (event.key === "ArrowLeft" && block) block.open = false;
    else return;
    event.preventDefault();
  });

  root.querySelector(".tools").hidden = !root.querySelector("details");
  says.hidden = false;
  light(null);
}
