"use strict";
// What a reader can change: sizes, steps, borders, numbers.

// The setting with a change, its numbers sized to it, and what comes of it. Throws RangeError: the sizes do not fit.
function changed(change) {
  const wanted = { ...glass.setting, ...change },
    sizes = sizesOf(wanted),
    given = { ...(wanted.given ?? wanted.planes) }, // as they were before sizes cut them: they come back with the size
    planes = {};
  for (const [n, key] of ["first", "second"].entries()) {
    if (!sizes[n]) continue;
    const [row, column] = key === "first" ? wanted.at : wanted.at.slice(1);
    given[key] ??= [[null]];
    if (change[key]) given[key] = given[key].with(row, given[key][row].with(column, change[key]));
    planes[key] = given[key].map((line) => line.map((rows) => fitted(rows, sizes[n])));
  }
  const setting = paired({ ...wanted, given, planes });
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
    for (const part of [view.stage, view.list, view.planes, view.said, view.more]) part.replaceChildren();
  }
}

function show(found) {
  Object.assign(glass, found);
  view.alert.textContent = "";
  drawChannels();
  drawPair();
  rechoose();
}

// Chooses what was chosen, in planes that are new.
function rechoose() {
  const kept =
    glass.chosen?.index < glass.model[glass.chosen?.plane]?.length
      ? glass.chosen
      : { plane: "result", index: 0 };
  view.said.replaceChildren();
  choose(kept.plane, kept.index);
}

// With channels: which image and channels. Numbers and planes follow.
function drawChoosers() {
  const { axes, planes, of, at } = glass.setting;
  const there = [planes.first.length, of[1], planes.second?.[0].length];
  view.select = axes.map((what, n) =>
    make(
      "select",
      {
        id: `at-${n}`,
        onchange: (event) => {
          const found = Number(event.target.value);
          if (n === 1) chooseTerm(found);
          else show(changed({ at: glass.setting.at.with(n, found) }));
          drawNumbers();
        },
      },
      Array.from({ length: there[n] }, (_, i) =>
        make("option", { value: i, selected: i === at[n] }, `${i + 1} of ${of[n]}`),
      ),
    ),
  );
  const label = (n) =>
    n === 1 && summing(glass.setting) ? `Alone below: ${axes[n]}` : axes[n][0].toUpperCase() + axes[n].slice(1);
  const largest = make("input", {
    type: "checkbox",
    id: "largest",
    onchange: (event) => {
      glass.largest = event.target.checked;
      drawTerms();
      litTerms(view.at);
    },
  });
  const many = summing(glass.setting) && of[1] > FEW_TERMS,
    told = `${axes[1][0].toUpperCase()}${axes[1].slice(1)}s that add most first`;
  view.choosers.replaceChildren(
    ...[2, 0, 1]
      .filter((n) => of[n] > 1)
      .map((n) => make("div", {}, make("label", { for: `at-${n}` }, label(n)), view.select[n])),
    many ? make("div", { class: "check" }, largest, make("label", { for: "largest" }, told)) : "",
  );
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
    ...(summing(setting) ? [] : [make("div", {}, make("label", { for: "op" }, "Operation"), op)]),
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
    const which = setting.axes ? ` (${whereIs(key)})` : "";
    const told = `Numbers of the ${model.kind.words[plane]}${which}, one row a line`;
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
          wrap: "off",
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
    const others = glass.setting.axes && "the other channels have that size",
      fixed = of === "outs" ? "the picture's size says so" : others;
    if (fixed && String(size) !== String(sizesOf(glass.setting)[plane]))
      throw new RangeError(`These numbers must be ${sizesOf(glass.setting)[plane].join(" by ")}: ${fixed}.`);
    show(changed(of === "outs" ? { [key]: rows } : { [key]: rows, [of]: size }));
    drawControls();
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    view.alert.textContent = error.message;
  }
}
