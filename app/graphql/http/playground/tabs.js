/** The open requests, one in each tab, stored between visits. A tab: { id, query, variables, answer }. */

import { $, debounce, el, icon, iconButton } from "./dom.js";
import { WELCOME } from "./starters.js";
import { load, saveTabs } from "./store.js";
import { operations } from "./walker.js";

export class Tabs {
  /** `onopen(tab)` is called when another tab becomes visible. */
  constructor(onopen) {
    const saved = load("tabs", null);
    this.onopen = onopen;
    this.all = saved?.tabs?.length ? saved.tabs : [fresh(WELCOME)];
    this.active = this.all.find((tab) => tab.id === saved?.active) ?? this.all[0];
    this.keep = debounce(() => this.save(), 400);
    addEventListener("pagehide", () => this.save());
    $("tabs").addEventListener("keydown", (event) => this.key(event));
  }

  save() {
    saveTabs(this.all, this.active.id);
  }

  /** Open a request: in the tab that has it, in an unedited one, or in a new one. */
  open(query, variables = "") {
    const same = this.all.find((tab) => tab.query === query && (tab.variables === variables || !variables));
    if (same) return this.select(same);
    const tab = fresh(query, variables);
    if (this.active.query.trim() && this.active.query !== WELCOME) this.all.push(tab);
    else this.all[this.all.indexOf(this.active)] = tab;
    this.select(tab);
  }

  add() {
    const tab = fresh("");
    this.all.push(tab);
    this.select(tab);
  }

  select(tab, focus = false) {
    this.active = tab;
    this.draw();
    this.keep();
    this.onopen(tab);
    if (focus) $("tabs").querySelector("[aria-selected=true]").focus();
  }

  close(tab) {
    const at = this.all.indexOf(tab);
    this.all.splice(at, 1);
    if (!this.all.length) this.all.push(fresh(""));
    this.select(tab === this.active ? this.all[Math.min(at, this.all.length - 1)] : this.active);
  }

  changed() {
    $("tabs").querySelector("[aria-selected=true]").textContent = titleOf(this.active.query);
    this.keep();
  }

  key(event) {
    const at = this.all.indexOf(this.active);
    const next = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: -1 }[event.key];
    if (event.target.getAttribute("role") !== "tab") return;
    if (event.key === "Delete") this.close(this.active);
    else if (next !== undefined) this.select(this.all.at(next % this.all.length), true);
    else return;
    event.preventDefault();
  }

  draw() {
    $("tabs").replaceChildren(...this.all.map((tab) => this.one(tab)));
    $("tabs").querySelector(".chosen").scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  one(tab) {
    const chosen = tab === this.active;
    const title = titleOf(tab.query);
    const button = el(
      "button",
      {
        type: "button",
        role: "tab",
        "aria-selected": String(chosen),
        "aria-controls": "query-panel",
        tabindex: chosen ? "0" : "-1",
        onclick: () => this.select(tab),
      },
      title,
    );
    const shut = iconButton("close", `Close ${title}`, () => this.close(tab), { tabindex: "-1", class: "quiet shut" });
    return el(
      "span",
      { class: `tab${chosen ? " chosen" : ""}`, role: "presentation" },
      button,
      this.all.length > 1 && shut,
    );
  }
}

const fresh = (query, variables = "") => ({ id: `${Date.now()}-${Math.random()}`, query, variables });

export function titleOf(query) {
  const [first] = operations(query);
  return first?.name ?? first?.fields[0] ?? "New query";
}

export const newTabButton = (tabs) =>
  el(
    "button",
    { type: "button", class: "quiet", title: "New tab", "aria-label": "New tab", onclick: () => tabs.add() },
    icon("plus"),
  );
