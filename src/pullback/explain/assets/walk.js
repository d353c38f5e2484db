"use strict";
// The walk: the graph with its values and derivatives, a step at a time. Arrow keys step, Tab goes from box to box,
// Enter opens a box: a group unfolds, a number tells all about itself.

const walk = dataOf("walk"),
  numbers = walk.numbers,
  MOST_OPEN = 30;
const shown = { open: new Set([walk.tree]), items: [], at: 0, chosen: null };
const page = {};

function begin() {
  const button = (label, how) => make("button", { type: "button", onclick: how }, label);
  page.slider = make("input", {
    type: "range",
    min: 0,
    value: 0,
    "aria-label": "Step",
    oninput: (event) => stepTo(Number(event.target.value)),
  });
  page.stepper = make(
    "div",
    { class: "stepper", role: "group", "aria-label": "Steps" },
    button("First", () => stepTo(0)),
    button("Back", () => stepTo(shown.at - 1)),
    button("Next", () => stepTo(shown.at + 1)),
    button("Last", () => stepTo(Infinity)),
    page.slider,
  );
  page.told = make("div", {
    class: "card told mono",
    role: "status",
    "aria-live": "polite",
    "aria-label": "This step",
  });
  page.drawing = make("div", { class: "drawing", role: "group", "aria-label": `Graph of ${walk.function}` });
  page.fold = make(
    "div",
    { class: "stepper" },
    button("Unfold all that fits", () => unfold(true)),
    button("Fold", fold),
  );
  page.about = make("section", { class: "card about", "aria-label": "About the chosen number" });
  document
    .getElementById("walk")
    .append(
      make(
        "p",
        { class: "soft" },
        "Arrow keys or the buttons go forward through the values, then back through the derivatives. " +
          "Choose a box to see its rule and the line that made it.",
      ),
      page.stepper,
      page.told,
      page.drawing,
      page.fold,
      page.about,
    );
  page.fold.hidden = groupsOf(walk.tree).length === 0;
  for (const part of [page.stepper, page.drawing]) part.addEventListener("keydown", stepByKey);
  matchMedia("(max-width: 700px)").addEventListener("change", draw);
  unfold(false);
}

// --- folding -----------------------------------------------------------------------------------------------------

const groupsOf = (group) =>
  group.items.filter((item) => item.items).flatMap((item) => [item, ...groupsOf(item)]);
const membersOf = (item) => (item.items ? item.items.flatMap(membersOf) : [item]);

function visible(group) {
  return group.items.flatMap((item) => (item.items && shown.open.has(item) ? visible(item) : [item]));
}

// Opens groups from the outside in, the smallest first, as long as the drawing stays readable. Calls of functions stay
// folded until they are asked for.
function unfold(calls) {
  const tooMany = new Set();
  for (;;) {
    const closed = visible(walk.tree).filter((item) => item.items && !tooMany.has(item) && (calls || !item.call));
    if (!closed.length) break;
    const next = closed.reduce((a, b) => (membersOf(b).length < membersOf(a).length ? b : a));
    shown.open.add(next);
    if (visible(walk.tree).length > MOST_OPEN) {
      shown.open.delete(next);
      tooMany.add(next);
    }
  }
  refold();
}

function fold() {
  shown.open = new Set([walk.tree]);
  refold();
}

function toggle(group) {
  if (!shown.open.delete(group)) shown.open.add(group);
  refold();
}

function refold() {
  const seen = visible(walk.tree).map((item) => ({
    item,
    members: membersOf(item),
    group: Boolean(item.items),
  }));
  const order = (entry) => {
    // sources stand first; a group where its first computed member does
    const made = entry.members.filter((i) => numbers[i - 1].op);
    return made.length ? Math.min(...made) : Math.min(...entry.members);
  };
  seen.sort((a, b) => order(a) - order(b));
  const home = new Map(seen.flatMap((entry, key) => entry.members.map((i) => [i, key])));
  seen.forEach((entry, key) => {
    entry.key = key;
    entry.inputs = [
      ...new Set(entry.members.flatMap((i) => numbers[i - 1].inputs.map((j) => home.get(j)))),
    ].filter((k) => k !== key);
  });
  shown.items = seen;
  shown.home = home;
  page.slider.max = 2 * seen.length;
  draw();
  stepTo(Infinity);
}

// --- drawing -----------------------------------------------------------------------------------------------------

const WIDE = 142,
  HIGH = 66,
  SMALLEST = 0.75; // a drawing shrinks to fit down to this, then it scrolls

function draw() {
  const upright = matchMedia("(max-width: 700px)").matches,
    gap = upright ? [14, 46] : [74, 24];
  const { places, ways } = layered(shown.items);
  const corner = ({ column, row }) => {
    const [x, y] = upright ? [row, column] : [column, row];
    return [6 + x * (WIDE + gap[0]), 6 + y * (HIGH + gap[1])];
  };
  const corners = [...places.values()].map(corner);
  const width = Math.max(...corners.map(([x]) => x)) + WIDE + 6,
    height = Math.max(...corners.map(([, y]) => y)) + HIGH + 6;
  const edges = shown.items.flatMap((entry) =>
    entry.inputs.map((from) => {
      const stops = [places.get(from), ...ways(from, entry.key), places.get(entry.key)].map(corner);
      return drawEdge(shown.items[from], entry, stops, upright);
    }),
  );
  const boxes = shown.items.map((entry) => drawBox(entry, ...corner(places.get(entry.key))));
  page.drawing.replaceChildren(
    make(
      "svg",
      { viewBox: `0 0 ${width} ${height}`, width, style: `max-width: max(100%, ${SMALLEST * width}px)`, role: "group" },
      ["forth", "back"].map(arrowhead),
      edges,
      boxes,
    ),
  );
  lightStep();
}

// The tip of an edge that carries a value forth, or a derivative back.
function arrowhead(name) {
  const shape = { id: name, viewBox: "0 0 10 10", refX: 9, refY: 5, markerWidth: 4.5, markerHeight: 4.5 };
  return make(
    "marker",
    { ...shape, orient: name === "back" ? "auto-start-reverse" : "auto" },
    make("path", { d: "M0 0 L10 5 L0 10 z", class: name }),
  );
}

// From the side of the first stop's box, straight through the places on the way, to the side of the last one's.
function drawEdge(from, to, stops, upright) {
  const enter = ([x, y]) => (upright ? [x + WIDE / 2, y] : [x, y + HIGH / 2]),
    leave = ([x, y]) => (upright ? [x + WIDE / 2, y + HIGH] : [x + WIDE, y + HIGH / 2]);
  let at = leave(stops[0]),
    d = `M${at}`,
    middle = at;
  for (const stop of stops.slice(1)) {
    const end = enter(stop),
      bend = upright ? [0, Math.max((end[1] - at[1]) / 2, 20)] : [Math.max((end[0] - at[0]) / 2, 24), 0];
    d += ` C${at[0] + bend[0]} ${at[1] + bend[1]} ${end[0] - bend[0]} ${end[1] - bend[1]} ${end}`;
    middle = [(at[0] + end[0]) / 2, (at[1] + end[1]) / 2 + 4];
    at = leave(stop);
    if (stop !== stops.at(-1)) d += ` L${at}`;
  }
  const terms = from.group || to.group ? [] : numbers[from.item - 1].terms.filter((t) => t.via === to.item);
  const said = terms
    .flatMap((t) => t.partials)
    .filter((p) => p.length < 10)
    .join(" + ");
  return make(
    "g",
    { class: "edge", "data-edge": `${from.key},${to.key}`, "aria-hidden": "true" },
    make("path", { d }),
    said ? make("text", { x: middle[0], y: middle[1] }, said) : null,
  );
}

function drawBox(entry, x, y) {
  const n = entry.group ? null : numbers[entry.item - 1],
    middle = x + WIDE / 2;
  const made = n
    ? n.op
      ? n.made.slice(0, 2).join(" = ")
      : `n${n.i}${n.name ? ` = ${n.name}` : ""}`
    : `▸ ${entry.item.name}`;
  const value = n ? short(n.value) : `${entry.members.length} numbers`;
  const back = n ? (n.adjoint ? short(n.adjoint) : "no derivative") : operations(entry.members);
  const label = n
    ? `${made}, value ${n.value.brief}, derivative ${n.adjoint ? n.adjoint.brief : "none"}`
    : `Group ${entry.item.name}, ${value}. Unfold`;
  const act = () => (n ? choose(n) : toggle(entry.item));
  const row = (held, kind, text, down) =>
    make(
      "g",
      { class: kind },
      held?.map
        ? make("image", {
            x: x + 8,
            y: y + down - 14,
            width: 17,
            height: 17,
            href: coloured(held).toDataURL(),
          })
        : null,
      make("text", { class: kind, x: held?.map ? middle + 12 : middle, y: y + down }, cut(text, 17)),
    );
  return make(
    "g",
    {
      class: `box ${n ? "" : "group"}`,
      "data-key": entry.key,
      "data-n": n && n.i,
      tabindex: 0,
      role: "button",
      "aria-label": label,
      "aria-expanded": n ? null : "false",
      onclick: act,
      onkeydown: (event) => {
        if (event.key === "Enter" || event.key === " ") {
          event.preventDefault();
          act();
        }
      },
    },
    make("title", {}, label),
    make("rect", { x, y, width: WIDE, height: HIGH, rx: 8 }),
    make("text", { class: "made", x: middle, y: y + 17 }, cut(made, 21)),
    row(n?.value, "value", value, 37),
    row(n?.adjoint, n ? "back" : "made", back, 57),
  );
}

const cut = (text, length) => (text.length > length ? `${text.slice(0, length - 1)}…` : text);
const short = (held) => (held.brief.length <= 17 ? held.brief : `mean ${held.mean}`);

function operations(members) {
  const counts = new Map();
  for (const i of members)
    if (numbers[i - 1].op) counts.set(numbers[i - 1].op, (counts.get(numbers[i - 1].op) ?? 0) + 1);
  return (
    [...counts]
      .sort((a, b) => b[1] - a[1])
      .map(([op]) => op)
      .join(", ") || "inputs"
  );
}

// --- steps -------------------------------------------------------------------------------------------------------

// Step s from 1 shows the value of item s; after the last, the derivative of the last item, and so on back.
function stepTo(wanted) {
  const count = shown.items.length;
  shown.at = Math.min(Math.max(wanted, 0), 2 * count);
  page.slider.value = shown.at;
  const forward = shown.at <= count,
    entry = current();
  const [first, back, next, last] = page.stepper.querySelectorAll("button");
  for (const button of [first, back]) button.ariaDisabled = String(shown.at === 0); // `disabled` would swallow the keys
  for (const button of [next, last]) button.ariaDisabled = String(shown.at === 2 * count);
  const lines = !entry
    ? [`Before the first step: ${count} values to compute, then as many derivatives.`]
    : entry.group
      ? [
          `Step ${shown.at} of ${2 * count}, ${forward ? "forward" : "back"}`,
          `${entry.item.name}: ${entry.members.length} numbers (${operations(entry.members)}); ` +
            "unfold it to step through them",
        ]
      : told(numbers[entry.item - 1], forward, count);
  page.told.replaceChildren(...lines.map((line) => make("p", {}, line)));
  page.slider.setAttribute("aria-valuetext", lines[lines.length > 1 ? 1 : 0]);
  if (entry && !entry.group) choose(numbers[entry.item - 1]);
  else lightStep();
  reveal();
}

function told(n, forward, count) {
  const head = `Step ${shown.at} of ${2 * count}, ${forward ? "forward: a value" : "back: a derivative"}`;
  return forward ? [head, n.made.join(" = ")] : [head, n.chain.join(" = "), ...n.locals];
}

function current() {
  const count = shown.items.length;
  return shown.at === 0 ? null : shown.items[shown.at <= count ? shown.at - 1 : 2 * count - shown.at];
}

function lightStep() {
  const count = shown.items.length,
    entry = current(),
    forward = shown.at <= count;
  const sources =
    entry &&
    (forward
      ? entry.inputs
      : [
          ...new Set(entry.members.flatMap((i) => numbers[i - 1].terms.map((t) => shown.home.get(t.via)))),
        ].filter((k) => k !== entry.key));
  for (const box of page.drawing.querySelectorAll(".box")) {
    const key = Number(box.dataset.key);
    box.classList.toggle("waiting", key >= shown.at);
    box.classList.toggle("quiet", 2 * count - shown.at > key && !(shown.at === 2 * count));
    box.classList.toggle("held", entry?.key === key);
    box.classList.toggle("used", Boolean(sources?.includes(key)));
    box.classList.toggle("chosen", shown.chosen !== null && Number(box.dataset.n) === shown.chosen);
  }
  for (const edge of page.drawing.querySelectorAll(".edge")) {
    const [from, to] = edge.dataset.edge.split(",").map(Number);
    edge.classList.toggle("fed", Boolean(entry && forward && to === entry.key));
    edge.classList.toggle("lit", Boolean(entry && !forward && from === entry.key && sources.includes(to)));
  }
}

// Scrolls the drawing, never the page, so that the step's box is seen.
function reveal() {
  const box = page.drawing.querySelector(".box.held")?.getBoundingClientRect();
  if (!box) return;
  const seen = page.drawing.getBoundingClientRect();
  page.drawing.scrollLeft +=
    Math.max(box.right + 12 - seen.right, 0) || Math.min(box.left - 12 - seen.left, 0);
  page.drawing.scrollTop +=
    Math.max(box.bottom + 12 - seen.bottom, 0) || Math.min(box.top - 12 - seen.top, 0);
}

function stepByKey(event) {
  const by = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
  const to = { Home: 0, End: Infinity }[event.key];
  if ((by === undefined && to === undefined) || event.target === page.slider) return;
  event.preventDefault();
  stepTo(to ?? shown.at + by);
  const box = page.drawing.querySelector(".box.held");
  if (document.activeElement?.closest(".drawing")) box?.focus({ preventScroll: false });
}

begin();
