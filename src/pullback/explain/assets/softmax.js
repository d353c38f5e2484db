"use strict";
// Softmax: a row a class, with its logit, which a reader can change, and its share; and for the chosen class how the
// share is made and what comes back to the logit.

const state = { ...dataOf("softmax"), chosen: 0 };
const view = {};

// y = exp(z - max)/sum, its derivatives by every logit, the loss of the wanted class and what comes back.
function shared({ logits, label }) {
  const most = Math.max(...logits),
    exps = logits.map((z) => Math.exp(z - most)),
    sum = exps.reduce((a, b) => a + b, 0),
    shares = exps.map((e) => e / sum);
  const wanted = label === null ? null : -(logits[label] - most - Math.log(sum));
  return {
    most,
    exps,
    sum,
    shares,
    loss: wanted,
    back: wanted === null ? null : shares.map((y, k) => (k === label ? y - 1 : y)),
    by: (k) => shares.map((y, j) => shares[k] * ((j === k ? 1 : 0) - y)),
  };
}

const bracketed = (value) => (value < 0 ? `(${number(value)})` : number(value));

function sayings(found, k) {
  const { logits, names, label } = state,
    { most, exps, sum, shares, back, loss } = found;
  const whole = number(sum);
  const lines = [
    `${names[k]}: ${number(shares[k])} of the whole`,
    `y${k} = exp(z${k} - max)/sum = exp(${number(logits[k])} - ${bracketed(most)})/${whole} = ` +
      `${number(exps[k])}/${whole} = ${number(shares[k])}`,
    `dy${k}/dz${k} = y${k}*(1 - y${k}) = ${number(found.by(k)[k])}; ` +
      `dy${k}/dz of another class = -y${k}*y of that class`,
  ];
  if (loss !== null) {
    const made = k === label ? `y${k} - 1` : `y${k}`;
    lines.push(`L = -log(y${label}) = ${number(loss)}`, `dL/dz${k} = ${made} = ${number(back[k])}`);
  }
  return lines;
}

function begin() {
  view.said = make("div", {
    class: "card said mono",
    role: "status",
    "aria-live": "polite",
    "aria-label": "The chosen class",
  });
  const head = ["class", "logit z", "share y", "exp(z - max)", "dy of the chosen by dz"];
  if (state.label !== null) head.push("dL/dz");
  view.rows = make("tbody", {}, state.names.map(row));
  const table = make(
    "table",
    { class: "sums softmax" },
    make("caption", {}, "Logits and their shares"),
    make(
      "thead",
      {},
      make(
        "tr",
        {},
        head.map((word) => make("th", { scope: "col" }, word)),
      ),
    ),
    view.rows,
  );
  const root = document.getElementById("softmax");
  root.append(
    make(
      "p",
      { class: "soft" },
      "Point at a class, tap it, or move to its logit with Tab; change the logit, and all shares follow." +
        (state.label === null ? "" : ` Wanted is ${state.names[state.label]}.`),
    ),
    view.said,
    make("div", { class: "scroll", role: "group", "aria-label": "Logits and their shares", tabindex: 0 }, table),
  );
  draw();
}

function row(name, k) {
  const choose = () => {
    if (state.chosen === k) return;
    state.chosen = k;
    draw();
  };
  const logit = make("input", {
    type: "number",
    step: "any",
    value: number(state.logits[k]),
    "aria-label": `Logit of ${name}`,
    onfocus: choose,
    oninput: (event) => {
      const found = Number(event.target.value);
      if (event.target.value === "" || !Number.isFinite(found)) return;
      state.logits[k] = found;
      draw();
    },
  });
  return make(
    "tr",
    { "data-class": k, onpointermove: (event) => event.pointerType !== "touch" && choose(), onclick: choose },
    make("th", { scope: "row" }, name),
    make("td", {}, logit),
    make("td", { class: "share" }, make("span", { class: "bar", "aria-hidden": "true" }), make("span")),
    make("td", { class: "exp" }),
    make("td", { class: "by" }),
    ...(state.label === null ? [] : [make("td", { class: "back" })]),
  );
}

function draw() {
  const found = shared(state),
    by = found.by(state.chosen);
  [...view.rows.rows].forEach((line, k) => {
    line.classList.toggle("held", k === state.chosen);
    line.querySelector(".exp").textContent = number(found.exps[k]);
    line.querySelector(".bar").style.width = `${(found.shares[k] * 4).toFixed(3)}rem`;
    line.querySelector(".share").lastChild.textContent = number(found.shares[k]);
    line.querySelector(".by").textContent = number(by[k]);
    if (found.back) line.querySelector(".back").textContent = number(found.back[k]);
  });
  view.said.replaceChildren(...sayings(found, state.chosen).map((text) => make("p", {}, text)));
}

begin();
