"use strict";
// With channels: every term of a cell's sum. A term is a plane of the input, the kernel's slice for it, and the plane
// that the two make; a result's plane is the sum of its terms, plus a bias, through an activation.

const FEW_TERMS = 6, // rows drawn at first, and each time more are asked for
  MOST_TERMS = 12, // terms that a sum writes out
  MOST_CELLS = 25, // cells of a slice that are written as numbers; a larger one is a heat map
  SIDE = 112; // of a heat map, in CSS pixels
const HEAT = { above: [190, 30, 45], below: [20, 90, 190], paper: 255 };
const AXES_OF = { first: [0, 1], second: [1, 2], result: [0, 2] };

// --- what is where -----------------------------------------------------------------------------------------------

const plural = (word, count) => `${word}${count === 1 ? "" : "s"}`;

// "image 2, input channel 3": where the chosen plane stands; a single image is not told.
function whereIs(key) {
  const { at, axes, of } = glass.setting;
  const told = (summing(glass.setting) ? AXES_OF[key] : [0, 1]).filter((n) => of[n] > 1 || axes[n] !== "image");
  return told.map((n) => `${axes[n]} ${at[n] + 1}`).join(", ");
}

// "input channels 2 to 4"
const termsNamed = (first, end) => {
  const what = glass.setting.axes[1];
  return end - first === 1 ? `${what} ${end}` : `${what}s ${first + 1} to ${end}`;
};

const biasOf = (setting) => setting.bias?.[setting.at[2]];

// What a cell of the result is called: p11 of one term alone, z11 before an activation, y11 as the op gives it.
const resultName = (index, before = false) =>
  cellName(before && glass.setting.activation ? "z" : glass.model.kind.of, index, glass.model.sizes[2][1]);

// A cell of the result as Python's `sum_of_output` says it; the activation apart.
function sumOfTerms(index) {
  const { setting, model } = glass,
    all = model.summed.terms.map((term) => term[index]),
    shown = all.slice(0, MOST_TERMS),
    bias = biasOf(setting);
  const parts = [`${total(shown.map(number))} (${termsNamed(0, shown.length)})`];
  if (all.length > shown.length)
    parts.push(`${number(added(all.slice(MOST_TERMS)))} (${termsNamed(shown.length, all.length)})`);
  if (bias !== undefined) parts.push(`${number(bias)} (bias)`);
  const before = resultName(index, true),
    lines = [`${before} = ${total(parts)} = ${number(model.summed.biased[index])}`];
  if (setting.activation)
    lines.push(`${resultName(index)} = ${setting.activation}(${before}) = ${number(model.summed.values[index])}`);
  return lines;
}

// The lines about a cell where there are channels.
function channelSayings(key, index) {
  const { setting, model } = glass,
    { at, axes, of } = setting,
    own = key === "result" ? resultName(index) : namesOf(model)[key](index),
    [head, ...lines] = sayings(model, key, index);
  if (key === "result") {
    const value = number(model.summed.values[index]);
    const made = model.links.filter((link) => link.result === index).length;
    const long = `${made} products add up to ${number(model.result[index])}`;
    const alone = `${termsNamed(at[1], at[1] + 1)} alone: ${made > MOST_CELLS ? long : lines.at(-1)}`;
    return [`${own} of ${whereIs("result")} = ${value}`, ...sumOfTerms(index), alone];
  }
  const through = key === "first" ? 2 : 0;
  const others = of[through] - 1,
    rest = others === 1 ? "the other adds its own" : `the other ${others} add theirs`;
  const told = others
    ? [`through ${axes[through]} ${at[through] + 1}; ${rest}`]
    : [];
  return [head.replace(own, `${own} of ${whereIs(key)}`), ...lines, ...told];
}

// --- drawing -----------------------------------------------------------------------------------------------------

function drawChannels() {
  view.spots.stage = new Map();
  if (!glass.model.summed) return;
  view.spots.filling = view.spots.stage;
  const { setting, model } = glass,
    { words, of: letter } = model.kind;
  const whole = (title, note, values, before) =>
    plane("total", title, note, model.sizes[2], (index) => ({
      name: resultName(index, before),
      value: values[index],
      of: index,
    }));
  const bias = biasOf(setting);
  const count = setting.of[1],
    note = `${model.sizes[2].join(" by ")}: the sum over ${count} ${plural(setting.axes[1], count)}`;
  const planes = [
    whole(
      setting.activation ? `z, ${whereIs("result")}` : `${words[2]} ${letter}, ${whereIs("result")}`,
      note + (bias === undefined ? "" : `, plus the bias ${number(bias)}`),
      model.summed.biased,
      true,
    ),
  ];
  if (setting.activation)
    planes.push(
      whole(`${words[2]} ${letter} = ${setting.activation}(z)`, whereIs("result"), model.summed.values, false),
    );
  view.terms = make("ol", { class: "terms" });
  view.rest = make("div", { class: "rest" });
  view.made = make("h3", { id: "made" });
  view.stage.replaceChildren(make("div", { class: "planes" }, planes));
  view.list.replaceChildren(
    view.made,
    make(
      "p",
      { class: "soft" },
      `Each ${setting.axes[1]}: its plane with the cells that are used framed; those cells × ${words[1]} = products; ` +
        "and the plane that it adds. Red is above zero, blue below.",
    ),
    view.terms,
    view.rest,
  );
  drawTerms();
}

// The terms as they stand below each other: by number, or those that add most to a cell first.
function inOrder(index) {
  const { terms } = glass.model.summed,
    order = [...terms.keys()];
  return glass.largest ? order.sort((s, t) => Math.abs(terms[t][index]) - Math.abs(terms[s][index])) : order;
}

function drawTerms() {
  const { model } = glass,
    count = Math.min(glass.rows, model.summed.terms.length);
  view.order = inOrder(Math.min(view.at ?? 0, model.result.length - 1));
  view.terms.replaceChildren(...view.order.slice(0, count).map(termRow));
  const left = model.summed.terms.length - count;
  view.unfold = make(
    "button",
    {
      type: "button",
      onclick: () => {
        glass.rows += FEW_TERMS;
        drawTerms();
        litTerms(view.at);
        (view.unfold.isConnected ? view.unfold : view.terms.lastChild.lastChild).focus();
      },
    },
    `Show ${Math.min(left, FEW_TERMS)} more`,
  );
  view.folded = make("p", { class: "folded" });
  view.bias = make("p", { class: "mono sum" });
  view.rest.replaceChildren(view.folded, ...(left ? [view.unfold] : []), view.bias);
}

function termRow(t) {
  const what = termsNamed(t, t + 1);
  const map = (part, told, choose) =>
    make("canvas", {
      class: "heat",
      role: "img",
      "aria-label": told,
      "data-part": part,
      onpointermove: (event) => event.pointerType !== "touch" && choose(event),
      onclick: choose,
    });
  return make(
    "li",
    { "data-term": t },
    make("strong", { class: "what" }, what),
    map("first", what, (event) => chooseTermCell(t, event)),
    make("span", { class: "sign", "aria-hidden": "true" }, "∗"),
    make(
      "div",
      { class: "scroll", role: "group", tabindex: 0, "aria-label": `${what}: cells times weights` },
      make("table", { class: "products mono" }, make("tbody")),
      make("canvas", { class: "heat", role: "img", "data-part": "products" }),
      make("p", { class: "soft many" }),
    ),
    make("span", { class: "part mono" }),
    map("term", `what ${what} adds`, (event) => {
      view.still = true; // the rows keep their order under the pointer, and the focus
      choose("result", cellUnder(event, glass.model.sizes[2]));
      view.still = false;
    }),
    make("button", { type: "button", class: "quiet", onclick: () => chooseTerm(t) }, "Under the glass"),
  );
}

// --- choosing ----------------------------------------------------------------------------------------------------

// The cell of a heat map that the pointer is on.
function cellUnder(event, [rows, columns]) {
  const box = event.target.getBoundingClientRect();
  const place = (from, size, count) => Math.min(Math.max(Math.floor((from / size) * count), 0), count - 1);
  return (
    place(event.clientY - box.top, box.height, rows) * columns + place(event.clientX - box.left, box.width, columns)
  );
}

function chooseTermCell(t, event) {
  chooseTerm(t);
  choose("first", cellUnder(event, glass.model.sizes[0]));
}

// Puts one term under the glass; the others stay as they are.
function chooseTerm(t) {
  const [i, now, j] = glass.setting.at;
  if (t === now) return;
  Object.assign(glass, changed({ at: [i, t, j] }));
  view.select[1].value = t;
  drawPair();
  view.still = true;
  rechoose();
  view.still = false;
}

// Marks what the chosen cell has to do with every channel.
function litChannels(key, index) {
  if (key === "result") view.at = index;
  view.at = Math.min(view.at ?? 0, glass.model.result.length - 1);
  if (glass.largest && key === "result" && !view.still) drawTerms();
  litTerms(view.at, key === "first" ? index : -1);
}

function litTerms(index, own = -1) {
  const { setting, model } = glass,
    names = namesOf(model),
    { terms, biased, values } = model.summed,
    lies = windowOf(index).map((i) => model.seen.cells[i]);
  const links = model.links.filter((link) => link.result === index);
  const framed = new Set(own >= 0 ? [own] : links.map((link) => link.first));
  const planes = setting.planes.first[setting.at[0]],
    large = (rows) => largest(rows.flatMap((row) => [...row]));
  const shown = view.order.slice(0, glass.rows);
  const most = { first: large(shown.flatMap((t) => planes[t])), term: large(shown.map((t) => terms[t])) };
  view.made.textContent = `What ${resultName(index)} = ${number(values[index])} is made of`;
  for (const row of view.terms.children) {
    const t = Number(row.dataset.term),
      first = planes[t].flat(),
      second = setting.planes.second[t][setting.at[2]].flat();
    const heat = (part) => row.querySelector(`[data-part=${part}]`);
    paint(heat("first"), model.sizes[0], first, most.first, framed);
    paint(heat("term"), model.sizes[2], terms[t], most.term, new Set([index]));
    tellProducts(row, lies, first, second, names);
    row.querySelector(".part").textContent = `= ${number(terms[t][index])}`;
  }
  tellRest(index, biased[index], values[index]);
}

// A slice's cells, weights and products: as numbers where they are few, else a heat map of the products.
function tellProducts(row, lies, first, second, names) {
  const { moving } = glass.model,
    [table, map, told] = row.querySelector(".scroll").children,
    many = moving.cells.length > MOST_CELLS;
  table.hidden = many;
  map.hidden = told.hidden = !many;
  if (!many) return fillProducts(table, lies, first, second, names);
  const made = moving.cells.map((w, i) => (lies[i] < 0 ? 0 : first[lies[i]] * second[w]));
  told.textContent = `${made.length} products, from ${number(Math.min(...made))} to ${number(Math.max(...made))}`;
  map.setAttribute("aria-label", told.textContent);
  paint(map, moving.shape, made, largest(made), new Set());
}

function fillProducts(table, lies, first, second, names) {
  const { moving } = glass.model,
    [rows, columns] = moving.shape;
  const cell = (i) => {
    const of = lies[i],
      w = moving.cells[i],
      value = of < 0 ? 0 : first[of];
    const [a, b, product] = [value, second[w], value * second[w]].map(number),
      told = of < 0 ? "border" : names.first(of);
    return make(
      "td",
      {
        class: of < 0 ? "border" : "",
        "aria-label": `${told} ${a} times ${names.second(w)} ${b} is ${product}`,
      },
      make("span", {}, brief(value)),
      make("span", { class: "by" }, `×${brief(second[w])}`),
      make("span", { class: "product" }, brief(value * second[w])),
    );
  };
  table.tBodies[0].replaceChildren(
    ...Array.from({ length: rows }, (_, r) =>
      make(
        "tr",
        {},
        Array.from({ length: columns }, (_, s) => cell(r * columns + s)),
      ),
    ),
  );
}

// Below the rows: the folded terms together, the bias, the activation.
function tellRest(index, biased, value) {
  const { setting, model } = glass,
    all = model.summed.terms.map((term) => term[index]),
    folded = view.order.slice(glass.rows).map((t) => all[t]),
    bias = biasOf(setting);
  const which = glass.largest
    ? `the other ${folded.length} ${plural(setting.axes[1], folded.length)}`
    : `${termsNamed(glass.rows, all.length)} (${folded.length})`;
  const told = folded.length === 1 ? "is folded; it adds" : "are folded; together they add";
  view.folded.textContent = folded.length ? `${which} ${told} ${number(added(folded))}.` : "";
  const sum = [`sum ${number(added(all))}`];
  if (bias !== undefined) sum.push(`+ bias ${bracketed(bias)} = ${number(biased)}`);
  const line = sum.join(" ");
  view.bias.textContent = setting.activation ? `${line}; ${setting.activation}: ${number(value)}` : line;
}

// --- heat maps ---------------------------------------------------------------------------------------------------

const added = (values) => values.reduce((x, y) => x + y, 0);
const largest = (values) => values.reduce((most, v) => Math.max(most, Math.abs(v)), 0) || 1;

// Red above zero, blue below, by the same scale for all maps beside each other; some cells framed.
function paint(canvas, [rows, columns], values, most, framed) {
  const side = Math.max(Math.floor(SIDE / Math.max(rows, columns)), 3),
    scale = 2;
  Object.assign(canvas, { width: columns * side * scale, height: rows * side * scale });
  canvas.style.width = `${columns * side}px`;
  const pen = canvas.getContext("2d");
  pen.scale(scale, scale);
  for (let i = 0; i < values.length; i++) {
    const share = Math.min(Math.abs(values[i]) / most, 1),
      ends = values[i] < 0 ? HEAT.below : HEAT.above;
    pen.fillStyle = `rgb(${ends.map((end) => Math.round(HEAT.paper + share * (end - HEAT.paper))).join(" ")})`;
    pen.fillRect((i % columns) * side, Math.floor(i / columns) * side, side, side);
  }
  pen.lineWidth = side < 6 ? 1 : 2;
  pen.strokeStyle = "#181c24";
  const inset = pen.lineWidth / 2;
  for (const i of framed)
    pen.strokeRect(
      (i % columns) * side + inset,
      Math.floor(i / columns) * side + inset,
      side - pen.lineWidth,
      side - pen.lineWidth,
    );
}
