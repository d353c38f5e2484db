"use strict";
// What a reader can change: sizes, steps, borders, numbers.

// The setting with a change, its numbers sized to it, and what comes of it. Throws RangeError: the sizes do not fit.
function changed(change) {
  const setting = { ...glass.setting, ...change };
  const [size1, size2] = sizesOf(setting);
  setting.first = fitted(setting.first, size1);
  if (size2) setting.second = fitted(setting.second, size2);
  return { setting, model: relate(setting) };
}

// Applies a change and draws everything; sizes that do not fit are told, and wait for the next change.
function update(change) {
  try {
    show(changed(change));
    drawNumbers();
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    Object.assign(glass, { setting: { ...glass.setting, ...change }, model: null, chosen: null });
    view.alert.textContent = error.message;
    for (const part of [view.planes, view.said, view.more]) part.replaceChildren();
  }
}

function show(found) {
  Object.assign(glass, found);
  view.alert.textContent = "";
  drawPlanes();
  drawMore();
  const kept =
    glass.chosen?.index < glass.model[glass.chosen?.plane]?.length
      ? glass.chosen
      : { plane: "result", index: 0 };
  view.said.replaceChildren();
  choose(kept.plane, kept.index);
}

function drawControls() {
  const { setting } = glass,
    pools = OPS[setting.op].pools;
  const families = Object.keys(OPS).filter((op) => Boolean(OPS[op].pools) === Boolean(pools));
  const op = make(
    "select",
    {
      id: "op",
      onchange: (event) => {
        update({ op: event.target.value });
        drawControls();
      },
    },
    families.map((name) =>
      make("option", { value: name, selected: name === setting.op }, `${OPS[name].title} (${name})`),
    ),
  );
  const padding = typeof setting.padding === "string" ? setting.padding : "explicit";
  const word = make(
    "select",
    {
      id: "padding",
      onchange: (event) => {
        update({
          padding:
            event.target.value === "explicit"
              ? [
                  [1, 1],
                  [1, 1],
                ]
              : event.target.value,
        });
        drawControls();
      },
    },
    ["VALID", "SAME", "explicit"].map((name) =>
      make("option", { value: name, selected: name === padding }, name),
    ),
  );
  view.controls.replaceChildren(
    make("div", {}, make("label", { for: "op" }, "Operation"), op),
    pair("picture", "Picture", setting.picture, 1, 16),
    pair("kernel", pools ? "Window" : "Kernel", setting.kernel, 1, 7),
    pair("strides", "Strides", setting.strides, 1, 6),
    ...(pools ? [] : [pair("dilations", "Dilations", setting.dilations, 1, 4)]),
    make("div", {}, make("label", { for: "padding" }, "Padding"), word),
    ...(padding === "explicit" ? [edges(0, "Rows above, below"), edges(1, "Columns left, right")] : []),
  );
}

function numberField(label, value, least, most, onvalue) {
  return make("input", {
    type: "number",
    "aria-label": label,
    value,
    min: least,
    max: Math.max(most, value),
    step: 1,
    onchange: (event) => {
      const found = Math.min(Math.max(Math.round(Number(event.target.value)) || least, least), LONGEST);
      event.target.value = found;
      onvalue(found);
    },
  });
}

function pair(key, legend, values, least, most) {
  return make(
    "fieldset",
    {},
    make("legend", {}, `${legend}: rows, columns`),
    make(
      "div",
      { class: "pair" },
      ["rows", "columns"].map((side, i) =>
        numberField(`${legend}, ${side}`, values[i], least, most, (found) =>
          update({ [key]: glass.setting[key].with(i, found) }),
        ),
      ),
    ),
  );
}

function edges(axis, legend) {
  return make(
    "fieldset",
    {},
    make("legend", {}, legend),
    make(
      "div",
      { class: "pair" },
      legend
        .split(/,? /)
        .slice(1)
        .map((side, i) =>
          numberField(`${legend.split(" ")[0]} ${side}`, glass.setting.padding[axis][i], 0, 6, (found) =>
            update({ padding: glass.setting.padding.with(axis, glass.setting.padding[axis].with(i, found)) }),
          ),
        ),
    ),
  );
}

function drawNumbers() {
  const { setting, model } = glass;
  const area = (key, plane) => {
    const text = setting[key].map((row) => row.map(number).join(" ")).join("\n");
    const told = `Numbers of the ${model.kind.words[plane]}, one row a line`;
    return make(
      "div",
      {},
      make("label", { for: `numbers-${key}` }, told),
      make("br"),
      make(
        "textarea",
        {
          id: `numbers-${key}`,
          spellcheck: "false",
          oninput: (event) => typed(key, plane, event.target.value),
        },
        text,
      ),
    );
  };
  const fill = (label, f) =>
    make(
      "button",
      {
        type: "button",
        onclick: () => {
          const filled = (rows) => rows.map((row, i) => row.map((_, j) => f(i * row.length + j)));
          update({ first: filled(setting.first), second: setting.second && filled(setting.second) });
        },
      },
      label,
    );
  view.numbers.replaceChildren(
    area("first", 0),
    ...(model.kind.pools ? [] : [area("second", 1)]),
    make(
      "div",
      { class: "steps" },
      fill("Count up", (i) => i + 1),
      fill("Ones", () => 1),
      fill("Random", () => Math.floor(Math.random() * 19) - 9),
    ),
  );
}

// New numbers; where their count differs the sizes follow, as far as the op lets a reader choose them.
function typed(key, plane, text) {
  try {
    const rows = parsed(text),
      of = OPS[glass.setting.op].planes[plane];
    const size = [rows.length, rows[0].length];
    if (Math.max(...size) > LONGEST) throw new RangeError(`At most ${LONGEST} rows and columns.`);
    if (of === "outs" && String(size) !== String(sizesOf(glass.setting)[plane])) {
      throw new RangeError(
        `These numbers must be ${sizesOf(glass.setting)[plane].join(" by ")}: the picture's size says so.`,
      );
    }
    show(changed(of === "outs" ? { [key]: rows } : { [key]: rows, [of]: size }));
    drawControls();
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    view.alert.textContent = error.message;
  }
}
