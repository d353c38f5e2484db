"use strict";
// A layered drawing of a graph. A column is the longest way from an input; a row lies near what it reads. An edge that
// passes columns has a place of its own in each, so that it never runs through a box; edges from one item share it.
//
//   layered([{key, inputs: [key, ...]}])  ->  {places: Map key -> {column, row}, ways: (from, to) -> [{column, row}, ...]}
//
// Items come in the order in which they are computed. A group's inputs may come later than the group itself; such an
// edge is drawn but moves nothing. Rows may be fractions; a way needs less room than a box.

const ROOM_OF_A_WAY = 0.45;

function layered(items) {
  const column = columnsOf(items);
  const spots = items.map(({ key }) => ({ key, column: column.get(key), from: [], room: 1 }));
  const byKey = new Map(spots.map((spot) => [spot.key, spot]));
  for (const { key, inputs } of items)
    for (const input of inputs) byKey.get(key).from.push(wayTo(input, column.get(key) - 1, column, byKey));
  const all = [...byKey.values()].sort((a, b) => a.column - b.column);
  for (let c = 0; all.length && c <= all.at(-1).column; c++) settle(all.filter((spot) => spot.column === c));
  const way = (from, to) =>
    [...Array(Math.max(column.get(to) - column.get(from) - 1, 0)).keys()]
      .map((i) => byKey.get(`${from}|${column.get(from) + 1 + i}`))
      .map((spot) => ({ column: spot.column, row: spot.row }));
  return { places: new Map(items.map(({ key }) => [key, byKey.get(key)])), ways: way };
}

function columnsOf(items) {
  const column = new Map(),
    readers = new Map(items.map((item) => [item.key, []]));
  for (const { key, inputs } of items) {
    const known = inputs.filter((input) => input !== key && column.has(input));
    column.set(key, known.length ? 1 + Math.max(...known.map((input) => column.get(input))) : 0);
    for (const input of known) readers.get(input).push(key);
  }
  for (const { key, inputs } of [...items].reverse()) {
    // What reads nothing stands just before its first reader.
    const after = readers.get(key).map((reader) => column.get(reader));
    if (inputs.length === 0 && after.length) column.set(key, Math.min(...after) - 1);
  }
  return column;
}

// The spot in column `last` that an edge from `input` comes through: the item itself, or the end of its way there.
function wayTo(input, last, column, byKey) {
  let before = byKey.get(input);
  for (let c = column.get(input) + 1; c <= last; c++) {
    const key = `${input}|${c}`;
    if (!byKey.has(key)) byKey.set(key, { key, column: c, from: [before], room: ROOM_OF_A_WAY });
    before = byKey.get(key);
  }
  return before;
}

// Rows for the spots of a column: each near the mean of what it comes from, none on top of another.
function settle(spots) {
  const wish = (spot) => {
    const placed = spot.from.filter((other) => other.row !== undefined),
      boxes = placed.filter((other) => other.room === 1); // a chain of boxes stays straight beside a way
    const known = boxes.length ? boxes : placed;
    return known.length ? known.reduce((sum, other) => sum + other.row, 0) / known.length : Infinity;
  };
  const wished = spots.map((spot, i) => ({ spot, i, at: wish(spot) }));
  wished.sort((a, b) => (a.at === b.at ? a.i - b.i : a.at - b.at));
  let next = 0;
  for (const { spot, at } of wished) {
    const shift = (1 - spot.room) / 2; // a row is where a box would begin: a way runs through its middle
    spot.row = Math.max(Number.isFinite(at) ? at : 0, next - shift);
    next = spot.row + shift + spot.room;
  }
}
