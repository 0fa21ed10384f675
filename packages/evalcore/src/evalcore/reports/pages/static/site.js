// Filter, sort, search, keyboard, links to every view, and Plotly where it is asked for. All figures are in the page:
// nothing is worked out here, and without this script everything is there to be read.
"use strict";
(() => {
  const root = document.querySelector(".evaluations");
  const all = (selector, within = root) => [...within.querySelectorAll(selector)];
  const assets = (document.currentScript || document.querySelector('script[src*="site.js"]')).src.replace(/site\.js.*$/, "");
  const slow = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
  all(".scripted").forEach((element) => { element.hidden = false; });

  // What is seen is in the address behind "#": `TABLE.q=gpt&TABLE.best=1&TABLE.sort=2d&zoom=accuracy`. Another address
  // there is the place of an element, as everywhere.
  const read = () => new URLSearchParams(location.hash.includes("=") ? location.hash.slice(1) : "");
  function write(key, value) {
    const state = read();
    if (value) state.set(key, value); else state.delete(key);
    const text = state.toString();
    history.replaceState(null, "", text ? `#${text}` : location.pathname + location.search);
  }

  // Rows are those of a table's body, or the children of an element with data-rows.
  const rowsOf = (list) => list.tBodies ? [...list.tBodies[0].rows] : [...list.children];
  function filter(form) {
    const list = document.getElementById(form.dataset.for);
    if (!list) return;
    const words = form.q.value.toLowerCase().split(/\s+/).filter(Boolean);
    const tags = all("input[type=checkbox]", form).filter((box) => box.checked).map((box) => box.name);
    let shown = 0;
    const rows = rowsOf(list);
    for (const row of rows) {
      const text = `${row.textContent.toLowerCase()} ${row.dataset.words || ""}`;
      const has = (row.dataset.tags || "").split(" ");
      row.hidden = !(words.every((word) => text.includes(word)) && tags.every((tag) => has.includes(tag)));
      shown += row.hidden ? 0 : 1;
    }
    form.querySelector("output").textContent = words.length || tags.length ? `${shown} of ${rows.length}` : "";
  }

  function keyOf(row, column, kind) {
    const cell = row.cells[column];
    if (!cell) return null;
    const text = cell.dataset.v ?? cell.textContent.trim();
    if (kind !== "number") return text.toLowerCase();
    const value = parseFloat(text.replace(/^± /, ""));
    return Number.isNaN(value) ? null : value;
  }
  function sort(table, column, isDescending) {
    const headings = [...table.tHead.rows[0].cells];
    const heading = headings[column];
    if (!heading || !heading.dataset.sort) return;
    const kind = heading.dataset.sort;
    const keyed = rowsOf(table).map((row, place) => ({ row, place, key: keyOf(row, column, kind) }));
    keyed.sort((a, b) => {
      // What has no figure stays last, whichever way.
      if (a.key === null || b.key === null) return (a.key === null) - (b.key === null) || a.place - b.place;
      const order = kind === "number" ? a.key - b.key : a.key.localeCompare(b.key, "en");
      return (isDescending ? -order : order) || a.place - b.place;
    });
    table.tBodies[0].append(...keyed.map((one) => one.row));
    headings.forEach((one) => one.removeAttribute("aria-sort"));
    heading.setAttribute("aria-sort", isDescending ? "descending" : "ascending");
  }
  for (const heading of all("th[data-sort]")) {
    const label = heading.querySelector("span");
    if (!label) continue;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "sort";
    button.append(...label.childNodes);
    label.append(button);
    button.addEventListener("click", () => {
      const table = heading.closest("table");
      const isDescending = heading.hasAttribute("aria-sort")
        ? heading.getAttribute("aria-sort") === "ascending" : heading.dataset.sort === "number" && heading.cellIndex > 0;
      sort(table, heading.cellIndex, isDescending);
      write(`${table.id}.sort`, `${heading.cellIndex}${isDescending ? "d" : "a"}`);
    });
  }

  const forms = all("form.tools");
  for (const form of forms) {
    const changed = () => {
      filter(form);
      write(`${form.dataset.for}.q`, form.q.value.trim());
      all("input[type=checkbox]", form).forEach((box) => write(`${form.dataset.for}.${box.name}`, box.checked ? "1" : ""));
    };
    form.addEventListener("input", changed);
    form.addEventListener("submit", (event) => { event.preventDefault(); changed(); });
  }

  for (const button of all("[data-copy]")) {
    button.addEventListener("click", async () => {
      const code = button.parentElement.querySelector("code");
      try {
        await navigator.clipboard.writeText(code.textContent);
        button.textContent = "Copied";
      } catch {
        // Not allowed here: it is selected, to be copied by hand.
        getSelection().selectAllChildren(code);
      }
    });
  }

  // Plotly comes when a chart is pointed at, and is there when it is opened.
  let coming = null;
  function plotly() {
    coming ??= new Promise((resolve, reject) => {
      const script = document.createElement("script");
      script.src = `${assets}plotly-basic.min.js`;
      script.onload = () => resolve(window.Plotly || window.moduleName);
      script.onerror = () => { coming = null; reject(new Error("plotly-basic.min.js is not there")); };
      document.head.append(script);
    });
    return coming;
  }
  const colour = (name) => getComputedStyle(root).getPropertyValue(`--${name}`).trim();
  function themed(figure, height) {
    const axis = { gridcolor: colour("line"), zerolinecolor: colour("line"), linecolor: colour("line"), automargin: true };
    const layout = {
      paper_bgcolor: colour("card"), plot_bgcolor: colour("card"), autosize: true, height,
      font: { color: colour("text"), family: getComputedStyle(root).fontFamily, size: 13 },
      colorway: [0, 1, 2, 3, 4, 5, 6, 7].map((number) => colour(`series-${number}`)),
      margin: { l: 60, r: 20, t: 10, b: 50 }, hovermode: "closest", dragmode: "zoom",
      hoverlabel: { bgcolor: colour("card"), bordercolor: colour("line"), font: { color: colour("text") } },
      ...figure.layout,
    };
    layout.xaxis = { ...axis, ...figure.layout.xaxis };
    layout.yaxis = { ...axis, ...figure.layout.yaxis };
    return layout;
  }
  async function open(key) {
    const block = document.getElementById(`plot-${key}`);
    if (!block) return;
    const figure = JSON.parse(block.textContent);
    const dialog = document.createElement("dialog");
    dialog.className = "zoom";
    const header = document.createElement("header");
    const title = document.createElement("h2");
    const caption = root.querySelector(`[data-plot="${key}"] figcaption`);
    title.textContent = `${caption ? caption.textContent : "All models"} — drag to zoom, double-click to go back`;
    dialog.setAttribute("aria-label", title.textContent);
    const close = document.createElement("button");
    close.type = "button";
    close.className = "plain";
    close.textContent = "Close";
    close.addEventListener("click", () => dialog.close());
    const drawn = document.createElement("div");
    drawn.className = "drawn";
    drawn.textContent = "Loading…";
    header.append(title, close);
    dialog.append(header, drawn);
    dialog.addEventListener("close", () => { dialog.remove(); write("zoom", ""); });
    root.append(dialog);
    dialog.showModal();
    write("zoom", key);
    try {
      const library = await plotly();
      drawn.textContent = "";
      const rows = figure.layout.yaxis.type === "category" ? figure.data[0].y.length : 0;
      const height = Math.max(drawn.clientHeight, rows * 24 + 100);
      // Its mode bar would offer to send the chart elsewhere.
      const options = { displayModeBar: false, displaylogo: false, plotlyServerURL: "", responsive: true, scrollZoom: true };
      await library.newPlot(drawn, figure.data, themed(figure, height), options);
      drawn.dataset.ready = "1";
    } catch (error) {
      drawn.textContent = `The chart cannot be drawn: ${error.message}. The page itself has all of its figures.`;
    }
  }
  for (const button of all("[data-open]")) {
    const key = button.dataset.open;
    button.addEventListener("click", () => open(key));
    const place = root.querySelector(`[data-plot="${key}"]`) || button;
    place.addEventListener("pointerenter", () => plotly().catch(() => {}), { once: true });
    button.addEventListener("focus", () => plotly().catch(() => {}), { once: true });
  }

  function restore() {
    const state = read();
    for (const form of forms) {
      const name = form.dataset.for;
      form.q.value = state.get(`${name}.q`) || "";
      all("input[type=checkbox]", form).forEach((box) => { box.checked = state.get(`${name}.${box.name}`) === "1"; });
      filter(form);
    }
    for (const [key, value] of state) {
      const [, table, word] = key.match(/^(.*)\.(\w+)$/) || [];
      const list = word === "sort" && document.getElementById(table);
      if (list && list.tHead) sort(list, parseInt(value, 10), value.endsWith("d"));
    }
    if (state.get("zoom") && !root.querySelector("dialog[open]")) open(state.get("zoom"));
    const place = !location.hash.includes("=") && location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (place) {
      for (let one = place.closest("details"); one; one = one.parentElement.closest("details")) one.open = true;
      place.scrollIntoView({ behavior: slow ? "auto" : "smooth" });
    }
  }
  window.addEventListener("hashchange", restore);
  restore();

  function step(by) {
    const links = all("tbody tr:not([hidden]) > th a, [data-rows] > :not([hidden]) :is(figcaption, h2) a").filter((a) => a.offsetParent);
    if (!links.length) return;
    const at = links.indexOf(document.activeElement);
    links[Math.min(Math.max(at + by, 0), links.length - 1)].focus();
  }
  document.addEventListener("keydown", (event) => {
    const isTyping = event.target.closest?.("input, textarea, select");
    if (event.ctrlKey || event.metaKey || event.altKey || root.querySelector("dialog[open]")) return;
    if (event.key === "Escape" && isTyping && event.target.form?.classList.contains("tools")) {
      event.target.value = "";
      event.target.form.dispatchEvent(new Event("input"));
      event.target.blur();
    } else if (isTyping) {
      return;
    } else if (event.key === "/" && forms.length) {
      event.preventDefault();
      forms[0].q.focus();
    } else if (event.key === "j" || event.key === "k") {
      step(event.key === "j" ? 1 : -1);
    }
  });
  root.dataset.ready = "1";
})();
