"use strict";
// The widget: planes of cells that show, for the one chosen, which others it meets. Choose by hovering, tapping, or
// moving the focus with the arrow keys. Everything shown is computed by relation.js from the setting.

const MOST_IN_TABLE = 900,
  MOST_IN_MATRIX = 4200,
  LONGEST = 24,
  PACE = 900; // milliseconds from output to output while it plays
const glass = { setting: null, model: null, chosen: null, rows: FEW_TERMS, largest: false };
const root = document.getElementById("glass");
const view = {};

function begin(setting) {
  glass.setting = paired(setting);
  // "first:4" -> the cells that are it, or stand for it
  view.spots = { stage: new Map(), pair: new Map(), filling: null };
  view.choosers = make("form", {
    class: "controls",
    "aria-label": "Which channels",
    onsubmit: (event) => event.preventDefault(),
  });
  view.stage = make("div", { class: "stage" });
  view.list = make("div");
  view.controls = make("form", {
    class: "controls",
    "aria-label": "What slides over what",
    onsubmit: (event) => event.preventDefault(),
  });
  view.alert = make("p", { class: "alert", role: "alert" });
  view.planes = make("div", { class: "planes three" });
  view.said = make("div", {
    class: "card said mono",
    role: "status",
    "aria-live": "polite",
    "aria-label": "The chosen cell",
  });
  view.steps = make(
    "div",
    { class: "steps" },
    make("button", { type: "button", onclick: () => step(-1) }, "Previous output"),
    make("button", { type: "button", onclick: () => step(1) }, "Next output"),
    make("button", { type: "button", onclick: (event) => play(event.target) }, "Play"),
  );
  view.numbers = make("div", { class: "numbers" });
  view.more = make("div");
  const help = make(
    "p",
    { class: "soft" },
    "Point at a cell, tap it, or move to it with Tab and the arrow keys: " +
      "the cells that it works with light up and say how.",
  );
  root.append(
    help,
    view.choosers,
    view.said,
    view.stage,
    ...(summing(setting) ? [view.steps, view.list] : []),
    ...(summing(setting) ? [(view.pair = make("h3", {}))] : []),
    view.planes,
    ...(summing(setting) ? [] : [view.steps]),
    make(
      "details",
      { open: true },
      make("summary", {}, "Your own sizes and numbers"),
      view.controls,
      view.alert,
      view.numbers,
    ),
    view.more,
  );
  root.addEventListener("pointermove", (event) => event.pointerType !== "touch" && chooseAt(event.target));
  root.addEventListener("focusin", (event) => chooseAt(event.target));
  root.addEventListener("click", (event) => chooseAt(event.target));
  root.addEventListener("keydown", moveFocus);
  if (setting.axes) drawChoosers();
  drawControls();
  update({});
}

// --- planes ------------------------------------------------------------------------------------------------------

function plane(key, title, note, [rows, columns], cell) {
  const size = columns > 12 ? "small" : columns > 7 ? "medium" : "large";
  const body = Array.from({ length: rows }, (_, i) =>
    make(
      "tr",
      { role: "row" },
      Array.from({ length: columns }, (_, j) => {
        const index = i * columns + j,
          { name, value, kind, of } = cell(index);
        const td = make(
          "td",
          {
            role: "gridcell",
            tabindex: index ? -1 : 0,
            "data-plane": key,
            "data-index": index,
            "data-of": of,
            class: kind,
          },
          make("span", { class: "name" }, name),
          make("span", { class: "value" }, brief(value)),
          make("span", { class: "mark" }),
        );
        td.setAttribute("aria-label", name ? `${name} is ${number(value)}` : `border, ${number(value)}`);
        for (const spot of [`${key}:${index}`, ...(of === undefined ? [] : [`${OWN[key]}:${of}`])])
          view.spots.filling.set(spot, [...(view.spots.filling.get(spot) ?? []), td]);
        return td;
      }),
    ),
  );
  return make(
    "figure",
    {},
    make("figcaption", {}, title, make("small", {}, note)),
    make(
      "table",
      { class: "plane", role: "grid", "data-size": size, "aria-label": title },
      make("tbody", {}, body),
    ),
  );
}

// The planes of one term: of the whole op, where there are no channels.
function drawPair() {
  view.spots.pair = view.spots.filling = new Map();
  drawPlanes();
  drawMore();
}

function drawPlanes() {
  const { model } = glass,
    names = namesOf(model),
    { words, letters } = model.kind;
  const own = (key, values, i) =>
    plane(key, `${words[i]} ${letters[i]}`, noteOf(key, i), model.sizes[i], (index) => ({
      name: names[key](index),
      value: values[index],
    }));
  const sign = (text) => make("div", { class: "sign", "aria-hidden": "true" }, text);
  if (model.summed) view.pair.textContent = `${termsNamed(glass.setting.at[1], glass.setting.at[1] + 1)}, alone`;
  const parts = [own("first", model.first, 0)];
  if (model.kind.pools) {
    const back = plane(
      "back",
      "unpooled u",
      model.kind === OPS.max_pool ? "each maximum back in its place" : "each mean copied to its window",
      model.sizes[0],
      (index) => ({
        name: cellName("u", index, model.sizes[0][1]),
        value: model.back[index],
        of: index,
      }),
    );
    parts.push(sign("→"), own("result", model.result, 2), sign("→"), back);
  } else {
    parts.push(sign("∗"), own("second", model.second, 1), sign("="), own("result", model.result, 2));
  }
  view.planes.replaceChildren(...parts);
  for (const link of model.links)
    if (link.wins) for (const cell of cellsAt("first", link.first)) cell.classList.add("winner");
}

// A plane's size; with channels also which plane it is, of the result whose part.
function noteOf(key, i) {
  const { setting, model } = glass,
    size = model.sizes[i].join(" by ");
  if (!setting.axes) return size;
  const part = key === "result" && summing(setting);
  return `${size}, ${part ? `the part of ${termsNamed(setting.at[1], setting.at[1] + 1)}` : whereIs(key)}`;
}

const cellsAt = (key, index) =>
  [view.spots.stage, view.spots.pair].flatMap((spots) => spots.get(`${key}:${index}`) ?? []);

// --- choosing ----------------------------------------------------------------------------------------------------

const OWN = { seen: "first", moving: "second", back: "first", total: "result" };

function chooseAt(target) {
  const cell = target.closest?.("[data-plane]");
  if (!cell || !glass.model) return;
  const { plane: key, index, of } = cell.dataset;
  if (key in OWN && of === undefined) return;
  choose(OWN[key] ?? key, Number(key in OWN ? of : index));
}

function choose(key, index) {
  if (glass.chosen && glass.chosen.plane === key && glass.chosen.index === index && view.said.children.length)
    return;
  glass.chosen = { plane: key, index };
  for (const cell of root.querySelectorAll(".held, .used, .window, .lit"))
    cell.classList.remove("held", "used", "window", "lit");
  for (const mark of root.querySelectorAll(".mark:not(:empty)")) mark.textContent = "";
  const { model } = glass,
    names = namesOf(model);
  lit(key, index, "held", "");
  for (const link of model.links.filter((l) => l[key] === index)) {
    for (const other of ["first", "second", "result"]) {
      if (other !== key && link[other] !== null)
        lit(other, link[other], "used", marked(link, key, other, names));
    }
  }
  if (key === "result" && !model.kind.pools)
    for (const i of windowOf(index)) for (const cell of cellsAt("seen", i)) cell.classList.add("window");
  litTables(key, index);
  if (model.summed) litChannels(key, index);
  const said = model.summed ? channelSayings(key, index) : sayings(model, key, index);
  view.said.replaceChildren(...said.map((line) => make("p", {}, line)));
  for (const [i, button] of [...view.steps.children].slice(0, 2).entries()) {
    button.ariaDisabled = String(key === "result" && index === (i ? model.result.length - 1 : 0));
  }
}

// What stands in a cell that the chosen one meets: the third cell of the relation.
function marked(link, from, to, names) {
  if (glass.model.kind.pools)
    return link.wins === undefined
      ? ""
      : link.wins
        ? "max"
        : glass.model.kind === OPS.avg_pool
          ? `×${number(link.factor)}`
          : "";
  const third = ["first", "second", "result"].find((key) => key !== from && key !== to);
  return (third === "result" ? "→" : "×") + names[third](link[third]);
}

function lit(key, index, how, mark) {
  for (const cell of cellsAt(key, index)) {
    cell.classList.add(how);
    cell.lastChild.textContent = mark;
  }
}

// The cells of `seen` under the moving kernel when it makes this output.
function windowOf(index) {
  const { seen, moving, strides, dilations, sizes } = glass.model,
    columns = sizes[2][1];
  const top = Math.floor(index / columns) * strides[0],
    left = (index % columns) * strides[1],
    found = [];
  for (let r = 0; r < moving.shape[0]; r++)
    for (let s = 0; s < moving.shape[1]; s++) {
      found.push((top + r * dilations[0]) * seen.shape[1] + left + s * dilations[1]);
    }
  return found;
}

function step(by) {
  const { chosen, model } = glass;
  if (model)
    choose(
      "result",
      chosen?.plane === "result" ? Math.min(Math.max(chosen.index + by, 0), model.result.length - 1) : 0,
    );
}

// From output to output, after the last from the first again, until pressed once more.
function play(button) {
  const stop = Boolean(view.playing);
  clearInterval(view.playing);
  const onward = () => {
    const { chosen, model } = glass;
    if (model && chosen?.plane === "result" && chosen.index === model.result.length - 1) choose("result", 0);
    else step(1);
  };
  view.playing = stop ? null : setInterval(onward, PACE);
  button.textContent = stop ? "Play" : "Pause";
}

function moveFocus(event) {
  const cell = event.target.closest?.("td[data-plane]");
  const by = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
  if (!cell || !by) return;
  const rows = cell.closest("table").rows;
  const next = rows[cell.parentElement.rowIndex + by[0]]?.cells[cell.cellIndex + by[1]];
  event.preventDefault();
  if (!next) return;
  cell.tabIndex = -1;
  next.tabIndex = 0;
  next.focus();
}

begin(dataOf("setting"));
