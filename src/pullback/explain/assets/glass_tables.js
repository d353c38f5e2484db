"use strict";
// Below the planes: the plain convolution, the table of coefficients, the sparse matrix, the Jacobian.

function drawMore() {
  const { model } = glass,
    names = namesOf(model),
    parts = [];
  if (!model.kind.pools) parts.push(...drawPlain(model, names));
  parts.push(...drawCoefficients(model, names), ...drawMatrix(model, names), ...drawJacobian(model, names));
  view.more.replaceChildren(...parts);
}

function drawPlain(model, names) {
  const { seen, moving, turned } = model;
  const gaps = seen.cells.includes(GAP);
  const border = seen.cells.includes(BORDER) ? "a border of zeros" : "as it is";
  const note = `${seen.shape.join(" by ")}: ${gaps ? "zeros between the cells, " : ""}${border}`;
  const walk = `strides ${model.strides.join(", ")}, dilations ${model.dilations.join(", ")}`;
  const picture = plane("seen", `${model.kind.words[0]}, as the kernel sees it`, note, seen.shape, (i) =>
    seen.cells[i] < 0
      ? { name: "", value: 0, kind: "border" }
      : { name: names.first(seen.cells[i]), value: model.first[seen.cells[i]], of: seen.cells[i] },
  );
  const kernel = plane(
    "moving",
    turned ? "kernel, turned by 180°" : model.kind.words[1],
    walk,
    moving.shape,
    (i) => ({
      name: names.second(moving.cells[i]),
      value: model.second[moving.cells[i]],
      of: moving.cells[i],
    }),
  );
  return [
    make("h3", {}, "As a plain convolution, without padding"),
    make(
      "p",
      {},
      `The same ${model.sizes[2].join(" by ")} numbers: the kernel slides over this picture. ` +
        "Framed in red: where it lies for the chosen output.",
    ),
    make(
      "div",
      { class: "planes" },
      picture,
      make("div", { class: "sign", "aria-hidden": "true" }, "∗"),
      kernel,
    ),
  ];
}

function tooLarge(title, count) {
  return [
    make("h3", {}, title),
    make("p", { class: "soft" }, `It has ${count} entries, too many to read; choose smaller sizes.`),
  ];
}

function byPair(model) {
  return new Map(model.links.map((link) => [`${link.first},${link.result}`, link]));
}

function scrolled(label, content) {
  return make("div", { class: "scroll", role: "group", "aria-label": label, tabindex: 0 }, content);
}

function drawCoefficients(model, names) {
  const title = "Coefficients: what each output multiplies each input by",
    count = model.first.length * model.result.length;
  if (count > MOST_IN_TABLE) return tooLarge(title, count);
  const links = byPair(model),
    weight = model.kind.pools ? "" : ", and which weight that is";
  const rows = model.first.map((_, i) =>
    make(
      "tr",
      { "data-row": i },
      make("th", { scope: "row" }, names.first(i)),
      model.result.map((_, j) => {
        const link = links.get(`${i},${j}`);
        const said = !link
          ? ""
          : model.kind.pools
            ? number(link.factor)
            : `${number(link.factor)} = ${names.second(link.second)}`;
        return make("td", { class: link ? "" : "none", "data-column": j }, said);
      }),
      make("td", {}, String(model.links.filter((link) => link.first === i).length)),
    ),
  );
  const head = make(
    "tr",
    {},
    make("th", { scope: "col" }, "input"),
    model.result.map((_, j) => make("th", { scope: "col", "data-column": j }, names.result(j))),
    make("th", { scope: "col" }, "outputs using it"),
  );
  return [
    make("h3", {}, title),
    scrolled(
      title,
      make(
        "table",
        { class: "sums coefficients" },
        make(
          "caption",
          {},
          `The derivative of each output with respect to each input${weight}; empty where unused.`,
        ),
        make("thead", {}, head),
        make("tbody", {}, rows),
      ),
    ),
  ];
}

function drawMatrix(model, names) {
  const title = "As a sparse matrix",
    count = model.first.length * model.result.length;
  if (count > MOST_IN_MATRIX) return tooLarge(title, count);
  const links = byPair(model),
    some = model.links.filter((link) => link.factor !== 0).length;
  const head = make(
    "tr",
    {},
    make("td"),
    model.result.map((_, j) => make("th", { scope: "col", "data-column": j }, names.result(j))),
  );
  const rows = model.first.map((_, i) =>
    make(
      "tr",
      {},
      make("th", { scope: "row" }, names.first(i)),
      model.result.map((_, j) => {
        const link = links.get(`${i},${j}`);
        return make(
          "td",
          {
            class: link ? "some" : "",
            "data-plane": "result",
            "data-index": j,
            "data-row": i,
            "data-column": j,
          },
          link ? number(link.factor) : "",
        );
      }),
    ),
  );
  const size = `${model.first.length} rows and ${model.result.length} columns`;
  const [a, , y] = model.kind.letters;
  const told = `${y} = ${a} W, both flattened: W has ${size}; ${some} of its ${count} entries are not zero.`;
  return [
    make("h3", {}, title),
    make("p", {}, `${told} The gradient goes back through the same entries, read along the rows.`),
    scrolled(
      title,
      make(
        "table",
        { class: "matrix whole mono" },
        make("caption", {}, "Rows: inputs. Columns: outputs."),
        make("thead", {}, head),
        make("tbody", {}, rows),
      ),
    ),
  ];
}

function drawJacobian(model, names) {
  const count = model.first.length * model.result.length,
    title = "Its Jacobian";
  if (count > MOST_IN_MATRIX) return tooLarge(title, count);
  const minis = (key, size, value) =>
    make(
      "div",
      { class: "minis", style: `--columns: ${model.sizes[2][1]}` },
      model.result.map((_, j) => {
        const row = (i) =>
          make(
            "tr",
            {},
            Array.from({ length: size[1] }, (_, k) => {
              const said = value(j, i * size[1] + k);
              return make("td", { class: said === null ? "" : "some" }, said === null ? "0" : number(said));
            }),
          );
        return make(
          "table",
          {
            class: "matrix mono mini",
            "data-output": j,
            "data-plane": "result",
            "data-index": j,
            "data-by": key,
          },
          make("caption", {}, `d${names.result(j)}/d${model.kind.letters[key === "first" ? 0 : 1]}`),
          make(
            "tbody",
            {},
            Array.from({ length: size[0] }, (_, i) => row(i)),
          ),
        );
      }),
    );
  const links = byPair(model);
  const parts = [
    make("h3", {}, title),
    make("p", {}, "For each output, its derivative with respect to every input: the kernel, where it lay."),
    scrolled(
      title,
      minis("first", model.sizes[0], (j, i) => links.get(`${i},${j}`)?.factor ?? null),
    ),
  ];
  if (model.kind.pools) return parts;
  const under = new Map(model.links.map((link) => [`${link.second},${link.result}`, link]));
  return [
    ...parts,
    make("p", {}, "And with respect to every weight: the patch of the input under the kernel."),
    scrolled(
      "Its Jacobian with respect to the kernel",
      minis("second", model.sizes[1], (j, i) =>
        under.has(`${i},${j}`) ? model.first[under.get(`${i},${j}`).first] : null,
      ),
    ),
  ];
}

function litTables(key, index) {
  const { model } = glass;
  for (const row of root.querySelectorAll(`.coefficients tr[data-row="${key === "first" ? index : ""}"]`))
    row.classList.add("held");
  for (const cell of root.querySelectorAll(`.coefficients [data-column="${key === "result" ? index : ""}"]`))
    cell.classList.add("held");
  const chosen = { first: `[data-row="${index}"]`, result: `[data-column="${index}"]` }[key];
  if (chosen) for (const cell of root.querySelectorAll(`.whole td${chosen}`)) cell.classList.add("lit");
  else {
    const rows = root.querySelector(".whole")?.tBodies[0].rows;
    for (const link of rows ? model.links.filter((l) => l.second === index) : [])
      rows[link.first].cells[link.result + 1].classList.add("lit");
  }
  if (key === "result")
    for (const mini of root.querySelectorAll(`.mini[data-output="${index}"]`)) mini.classList.add("held");
}
