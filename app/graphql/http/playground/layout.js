/** Panes: their sizes, the visible one on a narrow screen, and rows of tabs. */

import { $, el, inlineCode } from "./dom.js";
import { load, save } from "./store.js";

const LIMITS = { explorer: [200, 560], answer: [260, 1400], extras: [72, 700] };
const NARROW = matchMedia("(max-width: 860px)");

/** Set up the bar between two panes, moved by the pointer or arrow keys. It sets `--NAME-size` in pixels. */
export function splitter(name, { vertical = false, grows }) {
  const bar = $(`${name}-splitter`);
  const [least, most] = LIMITS[name];
  const set = (size) => {
    const fitting = Math.round(Math.max(least, Math.min(most, size)));
    document.documentElement.style.setProperty(`--${name}-size`, `${fitting}px`);
    bar.setAttribute("aria-valuenow", String(fitting));
    save(`size.${name}`, fitting);
  };
  const size = () => $(name).getBoundingClientRect()[vertical ? "height" : "width"];
  bar.setAttribute("aria-valuemin", String(least));
  bar.setAttribute("aria-valuemax", String(most));
  const storedSize = load(`size.${name}`, null);
  if (storedSize) set(storedSize);
  bar.addEventListener("pointerdown", (event) =>
    drag(bar, event, vertical, (moved, from) => set(from + moved * grows), size()),
  );
  bar.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -24, ArrowUp: -24, ArrowRight: 24, ArrowDown: 24 }[event.key];
    if (!step) return;
    event.preventDefault();
    set(size() + step * grows);
  });
}

function drag(bar, event, vertical, move, from) {
  const at = (one) => (vertical ? one.clientY : one.clientX);
  const begun = at(event);
  bar.setPointerCapture(event.pointerId);
  event.preventDefault();
  const onmove = (one) => move(at(one) - begun, from);
  const stop = () => {
    bar.removeEventListener("pointermove", onmove);
    bar.classList.remove("dragged");
  };
  bar.classList.add("dragged");
  bar.addEventListener("pointermove", onmove);
  bar.addEventListener("lostpointercapture", stop, { once: true });
}

/** Select the pane that a narrow screen shows; on a wide screen all panes are visible. */
export function seePane(name, onlyNarrow = true) {
  if (onlyNarrow && !NARROW.matches) return;
  document.body.dataset.pane = name;
  for (const button of $("switch").querySelectorAll("button")) {
    button.setAttribute("aria-pressed", String(button.dataset.pane === name));
  }
}

export function setUpPanes() {
  splitter("explorer", { grows: 1 });
  splitter("answer", { grows: -1 });
  splitter("extras", { vertical: true, grows: -1 });
  for (const button of $("switch").querySelectorAll("button")) {
    button.addEventListener("click", () => seePane(button.dataset.pane, false));
  }
  const toggle = $("explorer-toggle");
  const show = (isVisible) => {
    document.body.classList.toggle("no-explorer", !isVisible);
    toggle.setAttribute("aria-expanded", String(isVisible));
    save("explorer", isVisible);
  };
  toggle.addEventListener("click", () => show(document.body.classList.contains("no-explorer")));
  show(load("explorer", true));
  seePane("request", false);
  return { showExplorer: () => (show(true), seePane("explorer")) };
}

/** Set up a row of tabs as the ARIA pattern describes: arrow keys move the focus, one tab stop. */
export function tabRow(row, onselect = () => {}) {
  const tabs = [...row.querySelectorAll("[role=tab]")];
  const select = (tab, focus = false) => {
    for (const one of tabs) {
      one.setAttribute("aria-selected", String(one === tab));
      one.tabIndex = one === tab ? 0 : -1;
      $(one.getAttribute("aria-controls")).hidden = one !== tab;
    }
    if (focus) tab.focus();
    onselect(tab.id);
  };
  for (const tab of tabs) tab.addEventListener("click", () => select(tab));
  row.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (step) select(tabs[(tabs.indexOf(document.activeElement) + step + tabs.length) % tabs.length], true);
  });
  return (id) => select($(id));
}

/** Return a row of the lists of operations and history. */
export const listButton = (title, about, detail, onclick) =>
  el(
    "li",
    {},
    el(
      "button",
      { type: "button", class: "entry", onclick },
      el("span", { class: "sign" }, title),
      el("span", { class: "detail" }, detail),
      el("span", { class: "about" }, inlineCode(about)),
    ),
  );
