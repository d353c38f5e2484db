"use strict";
// All about one number of the walk: its value, derivative, rule, line; few numbers as a table, many as a heat map.

function choose(n) {
  if (!n) return;
  shown.chosen = n.i;
  const rows = [],
    row = (what, ...said) => rows.push(make("dt", {}, what), make("dd", {}, ...said));
  const lines = (texts) => texts.map((text) => make("p", { class: "mono" }, text));
  if (n.line) row("Made by", make("code", {}, n.line), make("span", { class: "soft" }, ` ${n.where}`));
  else
    row(
      "Made by",
      make(
        "span",
        { class: "soft" },
        n.op ? "line not known: this tape noted none; give explain the function itself" : "given",
      ),
    );
  row("Value", ...heldView(n.value, `Value of n${n.i}`));
  row(
    "Derivative",
    ...(n.adjoint ? heldView(n.adjoint, n.left) : [`none: ${walk.function} does not depend on it`]),
  );
  if (n.chain.length > 2) row("Chain rule", ...lines([n.chain.join(" = ")]));
  if (n.locals.length) row(n.terms.length > 1 ? "Paths that meet" : "Local derivative", ...lines(n.locals));
  if (n.rule) row("Rule", ...lines(n.pulls), make("p", { class: "soft" }, n.rule));
  page.about.replaceChildren(
    make("h3", {}, n.made.slice(0, 2).join(" = ") + (n.name && n.op ? ` (${n.name})` : "")),
    make("dl", {}, rows),
  );
  lightStep();
}

// A tensor: its numbers where they are few, otherwise a heat map; and its statistics.
function heldView(held, label) {
  const about = make(
    "p",
    { class: "soft" },
    `${held.shape.length ? `[${held.shape.join(", ")}] ` : ""}${held.dtype}` +
      (held.statistics ? `: ${held.statistics}` : ""),
  );
  if (held.numbers && held.shape.length === 0) return [make("p", { class: "mono" }, held.brief), about];
  if (held.numbers) {
    const rows = held.numbers.map((cells) =>
      make(
        "tr",
        {},
        cells.map((cell) => make("td", {}, cell)),
      ),
    );
    return [
      make(
        "div",
        { class: "scroll", tabindex: 0, role: "group", "aria-label": label },
        make("table", { class: "mono" }, make("tbody", {}, rows)),
      ),
      about,
    ];
  }
  if (!held.map) return held.statistics ? [make("p", {}, "Left out, as the page is large."), about] : [about];
  return [
    heatMap(held, label),
    make(
      "p",
      { class: "soft" },
      `Red above zero, blue below. Shown: ${held.drawn}, ${held.size.join(" by ")} blocks.`,
    ),
    about,
  ];
}

function heatMap(held, label) {
  const canvas = coloured(held);
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", `Heat map of ${label}: ${held.statistics}`);
  canvas.style.width = `${Math.min(held.size[1] * 10, 240)}px`;
  return canvas;
}

// A heat map's bytes as a canvas, a pixel a block: red above zero, blue below, yellow where there is no number.
function coloured(held) {
  const [rows, columns] = held.size,
    bytes = Int8Array.from(atob(held.map), (c) => c.charCodeAt(0));
  const canvas = make("canvas", { width: columns, height: rows }),
    image = new ImageData(columns, rows);
  bytes.forEach((value, i) => {
    const share = Math.min(Math.abs(value) / 127, 1),
      end = value > 0 ? [190, 30, 45] : [20, 90, 190];
    const colour = value === -128 ? [250, 190, 0] : end.map((c) => Math.round(255 + share * (c - 255)));
    image.data.set([...colour, 255], 4 * i);
  });
  canvas.getContext("2d").putImageData(image, 0, 0);
  return canvas;
}
