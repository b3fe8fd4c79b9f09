/** The right pane: the response with its status and statistics. */

import { codes, findToken, problems } from "./client.js";
import { $, announce, el, icon, MOD } from "./dom.js";
import { jsonView } from "./jsonview.js";

const PLACEHOLDER = "The response appears here.";

/** `hooks`: goTo(location), use(token), next(cursor), canPage(). */
export class AnswerPane {
  constructor(hooks) {
    this.hooks = hooks;
    this.clear();
  }

  clear() {
    this.text = "";
    $("answer-facts").replaceChildren();
    $("answer-notes").replaceChildren();
    const keys = el("p", {}, el("kbd", {}, MOD), " ", el("kbd", {}, "Enter"), " runs the operation at the cursor");
    $("answer-body").replaceChildren(el("div", { class: "empty" }, icon("door"), el("p", {}, PLACEHOLDER), keys));
    this.tools(false);
  }

  tools(on) {
    for (const button of $("answer").querySelectorAll("[data-needs-answer]")) button.disabled = !on;
  }

  running(on) {
    $("answer").toggleAttribute("aria-busy", on);
  }

  /** Show a response of `client.send`. */
  show(answer, saying = true) {
    this.text = answer.text;
    const state = stateOf(answer);
    const facts = [`${shownTime(answer.duration)}`, shownSize(answer.size)];
    $("answer-facts").replaceChildren(
      el("span", { class: `pill ${state.mood}` }, state.text, el("span", { class: "reason" }, state.reason)),
      ...facts.map((fact) => el("span", { class: "fact" }, fact)),
    );
    $("answer-notes").replaceChildren(...this.notes(answer));
    $("answer-body").replaceChildren(
      answer.text ? jsonView(answer.text) : el("p", { class: "empty" }, "The response is empty."),
    );
    $("answer-body").scrollTop = 0;
    this.tools(true);
    if (saying) announce(`${state.text}${state.reason}, ${facts.join(", ")}`);
  }

  /** Show that no response arrived. */
  fail(message) {
    this.clear();
    $("answer-facts").replaceChildren(el("span", { class: "pill bad" }, "No response"));
    $("answer-body").replaceChildren(el("div", { class: "empty" }, icon("unplugged"), el("p", {}, message)));
    announce(message);
  }

  notes(answer) {
    const errors = (answer.body?.errors ?? []).map((error) => this.error(error));
    const refused = problems(answer).map((problem) => this.problem(problem));
    return [this.tokenOffer(answer), ...errors, ...refused, this.pager(answer), statistics(answer)].filter(Boolean);
  }

  error(error) {
    const place = error.locations?.[0];
    const jump =
      place &&
      el("button", { type: "button", class: "link", onclick: () => this.hooks.goTo(place) }, `Line ${place.line}`);
    const id = error.extensions?.errorId;
    return note("bad", error.extensions?.code, error.message, error.path?.join("."), jump, id && el("code", {}, id));
  }

  problem({ field, code, message, path }) {
    const where = Array.isArray(path) ? path.join(".") : path;
    return note("warn", code, message, [field, where].filter(Boolean).join(" · "));
  }

  tokenOffer(answer) {
    const credentials = findToken(answer.body?.data);
    if (!credentials || this.hooks.holds(credentials.token)) return null;
    const whose = credentials.userName ? ` for ${credentials.userName}` : "";
    const button = el(
      "button",
      { type: "button", class: "primary", onclick: (event) => this.take(credentials, event.target) },
      "Use this token",
    );
    return el("div", { class: "note good" }, icon("key"), el("p", {}, `Token${whose} in this response.`), button);
  }

  take(credentials, button) {
    button.closest(".note").remove();
    this.hooks.use(credentials);
  }

  /** Return a button for the next page of a list that is queried with `$after`. */
  pager(answer) {
    const page = findPage(answer.body?.data);
    if (!page?.hasNextPage || !page.endCursor || !this.hooks.canPage()) return null;
    const button = el(
      "button",
      { type: "button", onclick: () => this.hooks.next(page.endCursor) },
      "Next page",
      icon("next"),
    );
    return el("div", { class: "note plain" }, el("p", {}, "The list has more items."), button);
  }
}

function note(mood, code, message, ...more) {
  const rest = more.filter(Boolean).map((one) => el("span", { class: "where" }, one));
  return el(
    "div",
    { class: `note ${mood}` },
    icon("warn"),
    el("div", {}, el("p", {}, message), code && el("code", {}, code), rest),
  );
}

function stateOf(answer) {
  const errors = codes(answer).length;
  const refused = problems(answer).length;
  const status = `${answer.status}`;
  if (answer.status >= 400) return { mood: "bad", text: status, reason: ` ${answer.reason}` };
  if (errors) return { mood: "bad", text: `${status}, ${errors} ${errors > 1 ? "errors" : "error"}`, reason: "" };
  if (refused) return { mood: "warn", text: `${status}, rejected`, reason: "" };
  return { mood: "good", text: status, reason: ` ${answer.reason || "OK"}` };
}

export const shownTime = (ms) =>
  ms < 1000 ? `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms` : `${(ms / 1000).toFixed(2)} s`;

function shownSize(bytes) {
  if (bytes < 1024) return `${bytes} B`;
  return bytes < 1024 ** 2 ? `${(bytes / 1024).toFixed(1)} KB` : `${(bytes / 1024 ** 2).toFixed(1)} MB`;
}

function findPage(value) {
  if (value === null || typeof value !== "object" || Array.isArray(value)) return null;
  return value.pageInfo ?? Object.values(value).map(findPage).find(Boolean) ?? null;
}

/** Return the figures of `extensions.stats`, with any names. */
function statistics(answer) {
  const stats = answer.body?.extensions?.stats;
  if (!stats || typeof stats !== "object") return null;
  const plain = Object.entries(stats).filter(([, value]) => typeof value !== "object");
  const rows = plain.map(([name, value]) =>
    el("div", {}, el("dt", {}, spaced(name)), el("dd", {}, shownFigure(value))),
  );
  return el("dl", { class: "stats", "aria-label": "Statistics" }, rows);
}

const spaced = (name) => name.replace(/([a-z])([A-Z])/g, (_, one, two) => `${one} ${two.toLowerCase()}`);
const shownFigure = (value) => (Number.isFinite(value) && !Number.isInteger(value) ? value.toFixed(2) : String(value));
