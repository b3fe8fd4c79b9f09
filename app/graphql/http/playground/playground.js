/** Connects the parts of the page: editor, response, explorer, session. */

import { AnswerPane, shownTime } from "./answer.js";
import { codes, curl, problems, send } from "./client.js";
import { $, copy, el, MOD, toast } from "./dom.js";
import { Docs } from "./docs.js";
import { listButton, seePane, setUpPanes, tabRow } from "./layout.js";
import { RequestPane } from "./request.js";
import { INTROSPECTION, Schema } from "./schema.js";
import { Session } from "./session.js";
import { draft } from "./skeleton.js";
import { STARTERS } from "./starters.js";
import { load, remember, save, sharedRequest, shareLink } from "./store.js";
import { newTabButton, Tabs, titleOf } from "./tabs.js";

const { showExplorer } = setUpPanes();
const showTab = tabRow($("explorer-tabs"));

const WHEN = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });

let flight = null;

const request = new RequestPane(edited, explain);
const session = new Session($("session"), () => loadSchema());
const docs = new Docs({ tryField, reload: loadSchema });
const answer = new AnswerPane({
  goTo: (place) => (seePane("request"), request.goTo(place)),
  use: (credentials) => session.use(credentials),
  holds: (token) => token === session.token,
  canPage: () => request.operation?.variables.some((variable) => variable.name === "after"),
  next: (cursor) => (request.setVariable("after", cursor), run()),
});
const tabs = new Tabs(opened);

function edited({ query, variables }) {
  Object.assign(tabs.active, { query, variables });
  tabs.changed();
}

function opened(tab) {
  request.open(tab);
  if (tab.answer) answer.show(tab.answer, false);
  else answer.clear();
}

function explain(type, field) {
  showExplorer();
  showTab("docs-tab");
  docs.open(type, field);
}

function tryField(kind, field) {
  const { query, variables } = draft(docs.schema, kind, field);
  openRequest(query, variables);
}

function openRequest(query, variables) {
  tabs.open(query, variables);
  seePane("request");
  request.query.area.focus();
}

async function loadSchema() {
  $("docs-body").setAttribute("aria-busy", "true");
  const reply = await send({ query: INTROSPECTION, token: session.token }).catch(() => null);
  $("docs-body").removeAttribute("aria-busy");
  const introspection = reply?.body?.data?.__schema;
  if (introspection) {
    const schema = new Schema(introspection);
    docs.setSchema(schema);
    request.setSchema(schema);
  } else docs.refuse(refusal(reply), isClosed(reply));
}

/** Return whether the server rejects introspection for this viewer. */
const isClosed = (reply) => Boolean(reply) && codes(reply).includes("GRAPHQL_VALIDATION_FAILED");

function refusal(reply) {
  if (!reply) return "No response from the server.";
  const reason = reply.body?.errors?.[0]?.message ?? `Status ${reply.status}: the response has no schema.`;
  const hint = session.token ? "" : " Sign in and try again.";
  const rest = isClosed(reply) ? " Operations still run; only completion, hints and this pane need the schema." : "";
  return `${reason}${hint}${rest}`;
}

/** Run the operation at the cursor, or stop the running one. */
async function run() {
  if (flight) return flight.abort();
  const composed = request.compose();
  if (!composed) return;
  const tab = tabs.active;
  flight = new AbortController();
  running(true);
  try {
    finish(
      tab,
      composed,
      await send({ ...composed, headers: withStats(composed.headers), token: session.token, signal: flight.signal }),
    );
  } catch (error) {
    answer.fail(
      error.name === "AbortError"
        ? "Stopped before a response arrived."
        : "No response from the server. Check that it is running.",
    );
  } finally {
    flight = null;
    running(false);
  }
}

const withStats = (headers) => ($("stats").checked ? { ...headers, "Ostiary-Stats": "1" } : headers);

function finish(tab, { operationName }, came) {
  tab.answer = came;
  const { query, variables } = tab;
  remember({
    query,
    variables,
    operationName,
    status: came.status,
    faulty: codes(came).length + problems(came).length > 0,
    duration: came.duration,
    at: Date.now(),
  });
  drawHistory();
  if (tab !== tabs.active) return;
  answer.show(came);
  request.markErrors(came.body?.errors ?? []);
  seePane("answer");
  if (session.token && codes(came).includes("UNAUTHENTICATED")) session.check();
}

function running(on) {
  $("run").classList.toggle("running", on);
  $("run-label").textContent = on ? "Stop" : "Run";
  $("run")
    .querySelector("use")
    .setAttribute("href", on ? "#icon-stop" : "#icon-run");
  answer.running(on);
}

function drawStarters() {
  const rows = STARTERS.map(({ title, about, query, variables }) =>
    listButton(title, about, query.trimStart().split(/\s/)[0], () =>
      openRequest(query, variables ? JSON.stringify(variables, null, 2) : ""),
    ),
  );
  $("starters").replaceChildren(...rows);
}

function drawHistory() {
  const runs = load("history", []);
  const rows = runs.map(({ query, variables, operationName, status, faulty, duration, at }) => {
    const row = listButton(operationName ?? titleOf(query), WHEN.format(at), shownTime(duration), () =>
      openRequest(query, variables),
    );
    row.firstChild.prepend(
      el("span", { class: `dot ${status >= 400 || faulty ? "bad" : "good"}`, title: `Status ${status}` }),
    );
    return row;
  });
  $("history").replaceChildren(...rows);
  $("history-empty").hidden = rows.length > 0;
  $("history-clear").hidden = !rows.length;
}

function share() {
  const link = shareLink(tabs.active);
  history.replaceState(null, "", link);
  copy(link, "Link");
}

/** Open the request in the URL. It does not run by itself, since a link can be malicious. */
function openShared() {
  const shared = sharedRequest();
  if (shared) openRequest(shared.query, shared.variables);
}

function copyCurl() {
  const composed = request.compose();
  if (composed)
    copy(curl({ ...composed, headers: withStats(composed.headers), signedIn: Boolean(session.token) }), "curl command");
}

function keys(event) {
  const mod = event.ctrlKey || event.metaKey;
  if (mod && event.key === "Enter") run();
  else if (mod && event.shiftKey && event.key.toLowerCase() === "f") request.prettify();
  else if (mod && event.key.toLowerCase() === "k") {
    showExplorer();
    showTab("docs-tab");
    $("docs-search").focus();
  } else return;
  event.preventDefault();
}

function listen() {
  $("run").addEventListener("click", run);
  $("prettify").addEventListener("click", () => request.prettify());
  $("share").addEventListener("click", share);
  $("copy-answer").addEventListener("click", () => copy(answer.text, "Response"));
  $("copy-curl").addEventListener("click", copyCurl);
  $("reload-schema").addEventListener("click", () => loadSchema().then(() => toast("Schema reloaded")));
  $("help-open").addEventListener("click", () => $("help").showModal());
  $("stats").addEventListener("change", (event) => save("stats", event.target.checked));
  $("history-clear").addEventListener("click", () => (save("history", null), drawHistory()));
  document.addEventListener("keydown", keys);
  addEventListener("hashchange", openShared);
}

$("stats").checked = load("stats", false);
for (const key of document.querySelectorAll("[data-mod]")) key.textContent = MOD;
$("new-tab").append(newTabButton(tabs));
listen();
drawStarters();
drawHistory();
tabs.select(tabs.active);
openShared();
loadSchema();
