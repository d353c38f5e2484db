"use strict";
// Which cells of a convolution or pooling meet: one relation of three cells, h = p * stride + r * dilation - before.
//
//   setting   {op, picture, kernel, strides, dilations: [rows, columns], padding: "SAME" | "VALID" | [[t, b], [l, r]],
//              planes: {first: [i][t], second: [t][j], or null for pooling}, each rows of numbers, at: [i, t, j];
//              with channels also axes: what i, t and j count, of: how many, bias: [j] or null, activation or null}
//   paired(setting)         the setting with first and second, the planes at [i, t, j]
//   relate(setting).links   [{first, second, result, factor}], cells as flat indices; second is null for pooling

const OPS = {
  conv2d: {
    title: "Convolution",
    planes: ["picture", "kernel", "outs"],
    letters: ["a", "w", "y"],
    words: ["input", "kernel", "output"],
  },
  conv2d_transpose: {
    title: "Transposed convolution",
    planes: ["outs", "kernel", "picture"],
    letters: ["a", "w", "y"],
    words: ["input", "kernel", "output"],
  },
  conv2d_backprop_input: {
    title: "Gradient of a convolution with respect to its input",
    planes: ["outs", "kernel", "picture"],
    letters: ["g", "w", "da"],
    words: ["arriving gradient", "kernel", "gradient of the input"],
  },
  conv2d_backprop_filter: {
    title: "Gradient of a convolution with respect to its kernel",
    planes: ["picture", "outs", "kernel"],
    letters: ["a", "g", "dw"],
    words: ["input", "arriving gradient", "gradient of the kernel"],
  },
  max_pool: {
    title: "Max pooling",
    planes: ["picture", null, "outs"],
    letters: ["a", "", "y"],
    words: ["input", "", "output"],
    pools: true,
  },
  avg_pool: {
    title: "Average pooling",
    planes: ["picture", null, "outs"],
    letters: ["a", "", "y"],
    words: ["input", "", "output"],
    pools: true,
  },
};

// Window positions and border along an axis of n cells, as TensorFlow counts them.
function along(n, k, stride, dilation, padding) {
  const extent = (k - 1) * dilation + 1;
  if (padding === "SAME") {
    const out = Math.ceil(n / stride),
      lacking = Math.max((out - 1) * stride + extent - n, 0);
    return { out, before: Math.floor(lacking / 2), after: lacking - Math.floor(lacking / 2), extent };
  }
  const [before, after] = padding === "VALID" ? [0, 0] : padding;
  const room = n + before + after - extent;
  if (room < 0)
    throw new RangeError(
      `A window that spans ${extent} cells does not fit ${n + before + after}; make it smaller, or pad more.`,
    );
  return { out: Math.floor(room / stride) + 1, before, after, extent };
}

function geometryOf(setting) {
  const pads = typeof setting.padding === "string" ? [setting.padding, setting.padding] : setting.padding;
  const dilations = OPS[setting.op].pools ? [1, 1] : setting.dilations;
  const axes = [0, 1].map((i) =>
    along(setting.picture[i], setting.kernel[i], setting.strides[i], dilations[i], pads[i]),
  );
  return { axes, dilations, outs: axes.map((axis) => axis.out) };
}

// Sizes of the op's planes; the second is null for pooling.
function sizesOf(setting) {
  const { outs } = geometryOf(setting);
  return OPS[setting.op].planes.map((plane) =>
    plane === null ? null : plane === "outs" ? outs : setting[plane],
  );
}

function triples(setting) {
  const { axes, dilations, outs } = geometryOf(setting);
  const one = [0, 1].map((i) => {
    const found = [];
    for (let p = 0; p < outs[i]; p++)
      for (let r = 0; r < setting.kernel[i]; r++) {
        const h = p * setting.strides[i] + r * dilations[i] - axes[i].before;
        if (h >= 0 && h < setting.picture[i]) found.push({ outs: p, kernel: r, picture: h });
      }
    return found;
  });
  const flat = (plane, row, column) =>
    row[plane] * (plane === "outs" ? outs : setting[plane])[1] + column[plane];
  return one[0].flatMap((row) =>
    one[1].map((column) => ({
      outs: flat("outs", row, column),
      kernel: flat("kernel", row, column),
      picture: flat("picture", row, column),
    })),
  );
}

// The setting with the two planes that it is at: result[i][j] is the sum over t of first[i][t] with second[t][j].
function paired(setting) {
  const { planes, at: [i, t, j] = [0, 0, 0] } = setting;
  return { ...setting, at: [i, t, j], first: planes.first[i][t], second: planes.second && planes.second[t][j] };
}

// Whether a plane of the result is a sum of several planes: with channels, and never of pooling.
const summing = (setting) => Boolean(setting.axes) && !OPS[setting.op].pools;

const ACTIVATIONS = {
  relu: (x) => Math.max(x, 0),
  sigmoid: (x) => 1 / (1 + Math.exp(-x)),
  tanh: Math.tanh,
};

// Every term's plane for the chosen result, their sum with the bias, and that through the activation.
function summed(setting, links, count) {
  const [i, , j] = setting.at;
  const terms = setting.planes.first[i].map((plane, t) => {
    const x = plane.flat(),
      w = setting.planes.second[t][j].flat(),
      made = new Array(count).fill(0);
    for (const link of links) made[link.result] += w[link.second] * x[link.first];
    return made;
  });
  const biased = new Array(count).fill(setting.bias?.[j] ?? 0);
  for (const term of terms) term.forEach((value, k) => (biased[k] += value));
  return { terms, biased, values: setting.activation ? biased.map(ACTIVATIONS[setting.activation]) : biased };
}

function relate(setting) {
  const op = OPS[setting.op],
    kind = summing(setting) ? { ...op, letters: [...op.letters.slice(0, 2), "p"], of: op.letters[2] } : op,
    sizes = sizesOf(setting);
  const first = setting.first.flat(),
    second = kind.pools ? [] : setting.second.flat();
  const [of1, of2, of3] = kind.planes;
  let links = triples(setting).map((t) => ({ first: t[of1], second: of2 && t[of2], result: t[of3] }));
  if (kind.pools) links = pooled(setting.op, links, first);
  else
    links.forEach((link) => {
      link.factor = second[link.second];
    });
  links.sort((x, y) => x.result - y.result || x.first - y.first);
  const result = new Array(sizes[2][0] * sizes[2][1]).fill(0);
  for (const link of links) result[link.result] += (link.count ? 1 : link.factor) * first[link.first];
  for (const [i, count] of new Map(links.map((link) => [link.result, link.count])))
    if (count) result[i] /= count;
  const model = { kind, sizes, links, first, second, result };
  if (kind.pools) model.back = unpooled(setting.op, links, result, first.length);
  else Object.assign(model, plainly(setting));
  if (summing(setting)) model.summed = summed(setting, links, result.length);
  return model;
}

// The first of equal values wins; a mean divides by the cells that are there.
function pooled(op, links, first) {
  const windows = new Map();
  for (const link of links) windows.set(link.result, [...(windows.get(link.result) ?? []), link]);
  for (const inside of windows.values()) {
    inside.sort((x, y) => x.first - y.first);
    const best = inside.reduce((x, y) => (first[y.first] > first[x.first] ? y : x));
    for (const link of inside) {
      link.wins = op === "max_pool" && link === best;
      link.factor = op === "max_pool" ? Number(link.wins) : 1 / inside.length;
      link.count = op === "max_pool" ? 0 : inside.length; // a mean is a sum, divided once
    }
  }
  return links;
}

// Values back at the place of their maximum, or copied to their whole window; where windows overlap they add.
function unpooled(op, links, result, size) {
  const back = new Array(size).fill(0);
  for (const link of links) if (op === "avg_pool" || link.wins) back[link.first] += result[link.result];
  return back;
}

const BORDER = -1,
  GAP = -2;

// The op as a plain convolution without padding: of `seen`, whose cells are indices of first, BORDER or GAP, by
// `moving`, whose cells are indices of second.
function plainly(setting) {
  const { axes, dilations } = geometryOf(setting),
    [size1, size2] = sizesOf(setting);
  const back = setting.op === "conv2d_transpose" || setting.op === "conv2d_backprop_input";
  const filter = setting.op === "conv2d_backprop_filter";
  const gaps = back ? setting.strides : [1, 1];
  const grown = size1.map((n, i) => Math.max((n - 1) * gaps[i] + 1, 0));
  const before = axes.map((axis) => (back ? axis.extent - 1 - axis.before : axis.before));
  const after = axes.map((axis, i) => {
    if (back) return setting.picture[i] + axis.extent - 1 - before[i] - grown[i];
    if (!filter) return axis.after;
    return (
      (setting.kernel[i] - 1) * dilations[i] +
      (axis.out - 1) * setting.strides[i] +
      1 -
      axis.before -
      grown[i]
    );
  });
  const shape = grown.map((n, i) => before[i] + n + after[i]);
  const place = (i, n) => (i < 0 || i >= n[0] ? BORDER : i % n[1] ? GAP : i / n[1]);
  const cells = [];
  for (let i = 0; i < shape[0]; i++)
    for (let j = 0; j < shape[1]; j++) {
      const row = place(i - before[0], [grown[0], gaps[0]]),
        column = place(j - before[1], [grown[1], gaps[1]]);
      cells.push(
        row === BORDER || column === BORDER
          ? BORDER
          : row === GAP || column === GAP
            ? GAP
            : row * size1[1] + column,
      );
    }
  const count = size2[0] * size2[1],
    order = [...Array(count).keys()];
  return {
    seen: { shape, cells },
    moving: { shape: size2, cells: back ? order.reverse() : order },
    turned: back,
    strides: filter ? dilations : back ? [1, 1] : setting.strides,
    dilations: filter ? setting.strides : dilations,
  };
}

// Numbers of another size: those that are there stay, new ones count on.
function fitted(numbers, [rows, columns]) {
  return Array.from({ length: rows }, (_, i) =>
    Array.from({ length: columns }, (_, j) => numbers?.[i]?.[j] ?? ((i * columns + j) % 9) + 1),
  );
}

// "1 2\n3 4" as rows of numbers.
function parsed(text) {
  const rows = text
    .trim()
    .split(/\n/)
    .map((line) =>
      line
        .trim()
        .split(/[\s,;]+/)
        .map(Number),
    );
  if (rows.some((row) => row.length !== rows[0].length))
    throw new RangeError("Every row must have as many numbers as the first.");
  if (rows.flat().some((value) => !Number.isFinite(value))) throw new RangeError("A word here is no number.");
  return rows;
}

// --- what it says, as Python's tables say it ---------------------------------------------------------------------

function cellName(letter, index, columns) {
  const row = Math.floor(index / columns) + 1,
    column = (index % columns) + 1;
  return `${letter}${row}${Math.max(row, column) > 9 ? "," : ""}${column}`;
}

const namesOf = (model) => ({
  first: (i) => cellName(model.kind.letters[0], i, model.sizes[0][1]),
  second: (i) => cellName(model.kind.letters[1], i, model.sizes[1][1]),
  result: (i) => cellName(model.kind.letters[2], i, model.sizes[2][1]),
  d: (i) => cellName("d", i, model.sizes[2][1]),
});

const times = (factor, name) =>
  factor === 1 ? name : factor === -1 ? `-${name}` : `${number(factor)}*${name}`;
const bracketed = (value) => (value < 0 ? `(${number(value)})` : number(value));
const total = (terms) => terms.join(" + ").replaceAll("+ -", "- ") || "0";

// The lines about a cell: a heading, then what it is made of or goes into.
function sayings(model, plane, index) {
  const name = namesOf(model),
    links = model.links.filter((link) => link[plane] === index);
  if (model.kind.pools) return poolSayings(model, name, plane, index, links);
  const own = name[plane](index);
  if (plane === "result") {
    const terms = links.map((l) => `${number(l.factor)}*${bracketed(model.first[l.first])}`);
    return [
      `${own} = ${number(model.result[index])}`,
      `${own} = ${total(links.map((l) => `${name.second(l.second)}*${name.first(l.first)}`))}`,
      `${own} = ${total(links.map((l) => times(l.factor, name.first(l.first))))}`,
      terms.length ? `${own} = ${total(terms)} = ${number(model.result[index])}` : `${own} = 0`,
    ];
  }
  const value = plane === "first" ? model.first[index] : model.second[index];
  const factor = (l) => (plane === "first" ? l.factor : model.first[l.first]);
  const other = (l) => (plane === "first" ? name.second(l.second) : name.first(l.first));
  const uses = links.map((l) => `${name.result(l.result)} multiplies it by ${other(l)} = ${number(factor(l))}`);
  return [
    `${own} = ${number(value)}, used by ${counted(links.length, "output")}`,
    ...(uses.length ? [uses.join("; ")] : []),
    `df/d${own} = ${total(links.map((l) => times(factor(l), name.d(l.result))))}`,
  ];
}

function poolSayings(model, name, plane, index, links) {
  const largest = model.kind === OPS.max_pool,
    own = name[plane](index);
  if (plane === "result") {
    const names = links.map((l) => name.first(l.first)),
      values = links.map((l) => model.first[l.first]);
    const value = number(model.result[index]);
    if (!largest)
      return [
        `${own} = ${value}`,
        `${own} = (${total(names)})/${links.length}`,
        `${own} = (${total(values.map(bracketed))})/${links.length} = ${value}`,
      ];
    const winner = name.first(links.find((l) => l.wins).first);
    return [
      `${own} = ${value}, from ${winner}`,
      `${own} = max(${names.join(", ")})`,
      `${own} = max(${values.map(number).join(", ")}) = ${value} = ${winner}`,
    ];
  }
  const giving = links.filter((l) => !largest || l.wins);
  return [
    `${own} = ${number(model.first[index])}, in ${counted(links.length, "window")}` +
      (largest ? `, the largest in ${giving.length}` : ""),
    `df/d${own} = ${total(giving.map((l) => times(l.factor, name.d(l.result))))}`,
    `unpooled: ${cellName("u", index, model.sizes[0][1])} = ` +
      (giving.length
        ? `${total(giving.map((l) => name.result(l.result)))} = ${number(model.back[index])}`
        : "0"),
  ];
}

const counted = (count, word) => `${count} ${word}${count === 1 ? "" : "s"}`;
