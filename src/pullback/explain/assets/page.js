"use strict";
// What every page has: reading its data, making elements, light and dark, the right height inside a notebook.

function dataOf(id) {
  return JSON.parse(document.getElementById(`data-${id}`).textContent);
}

// An element with attributes, properties ("onclick") and children; strings become text, never HTML.
function make(kind, attributes = {}, ...children) {
  const space = SVG_KINDS.has(kind) ? "http://www.w3.org/2000/svg" : "http://www.w3.org/1999/xhtml";
  const made = document.createElementNS(space, kind);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value !== null && value !== undefined && value !== false)
      made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return made;
}
const SVG_KINDS = new Set(["svg", "g", "path", "rect", "text", "image", "marker", "title"]);

// A number as Python's "%.6g" writes it, so that page and terminal say the same.
function number(value) {
  if (Number.isNaN(value)) return "nan";
  if (!Number.isFinite(value)) return value > 0 ? "inf" : "-inf";
  if (value === 0) return "0";
  const [digits, power] = value.toExponential(5).split("e");
  const exponent = Number(power);
  if (exponent < -4 || exponent >= 6) {
    const size = String(Math.abs(exponent)).padStart(2, "0");
    return `${digits.replace(/\.?0+$/, "")}e${exponent < 0 ? "-" : "+"}${size}`;
  }
  const plain = value.toFixed(Math.max(5 - exponent, 0));
  return plain.includes(".") ? plain.replace(/\.?0+$/, "") : plain;
}

// A number for a narrow place: four digits where it is longer.
function brief(value) {
  const whole = number(value);
  return whole.length > 6 ? number(Number(value.toPrecision(4))) : whole;
}

(function theme() {
  const root = document.documentElement,
    button = document.getElementById("theme");
  const system = matchMedia("(prefers-color-scheme: dark)");
  const dark = () => (root.dataset.theme ? root.dataset.theme === "dark" : system.matches);
  function show() {
    button.setAttribute("aria-pressed", String(dark()));
    button.textContent = "Dark colours: " + (dark() ? "on" : "off");
  }
  try {
    root.dataset.theme = localStorage.getItem("pullback-theme") ?? "";
  } catch {
    /* no storage: the system's choice */
  }
  button.hidden = false;
  button.addEventListener("click", () => {
    root.dataset.theme = dark() ? "light" : "dark";
    try {
      localStorage.setItem("pullback-theme", root.dataset.theme);
    } catch {
      /* kept for this view only */
    }
    show();
  });
  system.addEventListener("change", show);
  show();
})();

(function insideNotebook() {
  let frame = null;
  try {
    frame = window.frameElement;
  } catch {
    /* another origin: it keeps its height */
  }
  if (!frame) return;
  const fit = () => {
    frame.style.height = Math.min(document.body.scrollHeight + 8, 2400) + "px";
  };
  new ResizeObserver(fit).observe(document.body);
})();
