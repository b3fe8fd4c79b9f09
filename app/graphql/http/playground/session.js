/** The sign-in at the top of the page. The token is stored in this browser tab only. */

import { codes, findToken, problems, send } from "./client.js";
import { announce, el, icon } from "./dom.js";
import { load, save } from "./store.js";

const LOGIN = `mutation LogIn($input: LoginInput!) {
  login(input: $input) { session { token expiresAt user { userName } } errors { code message path } }
}`;
const WHO = "query WhoAmI { viewer { user { userName roles { name } } } }";

export class Session {
  /** `onchange()` is called when the user changes. */
  constructor(host, onchange) {
    Object.assign(this, { host, onchange, credentials: load("session", null, sessionStorage), message: "" });
    this.draw();
    if (this.credentials) this.check();
  }

  get token() {
    return this.credentials?.token ?? null;
  }

  /** Use a token from a response: { token, expiresAt, userName }. */
  async use(credentials) {
    this.hold(credentials);
    await this.check();
    if (this.credentials) announce(`Signed in as ${this.credentials.userName ?? "an unknown user"}`);
  }

  hold(credentials, message = "") {
    this.credentials = credentials;
    this.message = message;
    save("session", credentials, sessionStorage);
    this.draw();
    this.onchange();
  }

  /** Query the user of the token, and drop the token if it is invalid. */
  async check() {
    const token = this.token;
    const answer = await send({ query: WHO, token }).catch(() => null);
    if (!answer || token !== this.token) return;
    const user = answer.body?.data?.viewer?.user;
    if (user) {
      this.credentials = { ...this.credentials, userName: user.userName, roles: user.roles.map((role) => role.name) };
      save("session", this.credentials, sessionStorage);
      this.draw();
    } else if (answer.status === 401 || codes(answer).includes("UNAUTHENTICATED") || answer.body?.data) {
      this.hold(null, "Your session has ended. Sign in again.");
    }
  }

  async signIn(userName, password) {
    this.busy(true);
    const variables = { input: { userName, password } };
    const answer = await send({ query: LOGIN, operationName: "LogIn", variables }).catch(() => null);
    this.busy(false);
    const credentials = findToken(answer?.body?.data);
    if (credentials) return this.use({ userName, ...credentials });
    this.say(refusal(answer));
  }

  busy(on) {
    for (const control of this.host.querySelectorAll("input, button")) control.disabled = on;
  }

  say(message) {
    this.message = message;
    this.host.querySelector(".message").textContent = message;
    const password = this.host.querySelector("[type=password]");
    password.setAttribute("aria-invalid", "true");
    password.focus();
    password.select();
  }

  draw() {
    this.host.replaceChildren(...(this.credentials ? this.signedIn() : this.signedOut()));
  }

  signedIn() {
    const { userName, roles, expiresAt } = this.credentials;
    const until = expiresAt && `Token valid until ${new Date(expiresAt).toLocaleString()}`;
    return [
      el(
        "div",
        { class: "who", title: until },
        el("span", { class: "avatar", "aria-hidden": "true" }, (userName ?? "?")[0].toUpperCase()),
        el("span", { class: "name" }, el("span", { class: "unseen" }, "Signed in as "), userName ?? "…"),
        (roles ?? []).slice(0, 3).map((role) => el("span", { class: "role" }, role)),
      ),
      el(
        "button",
        { type: "button", title: "Delete the token from this tab", onclick: () => this.hold(null) },
        "Sign out",
      ),
    ];
  }

  signedOut() {
    const input = (props) => el("input", { required: true, oninput: () => this.quiet(), ...props });
    const name = input({
      name: "userName",
      autocomplete: "username",
      placeholder: "User name",
      "aria-label": "User name",
    });
    name.setAttribute("autocapitalize", "off");
    const password = input({
      type: "password",
      name: "password",
      autocomplete: "current-password",
      placeholder: "Password",
      "aria-label": "Password",
      "aria-describedby": "sign-in-message",
    });
    const submit = (event) => {
      event.preventDefault();
      this.signIn(name.value.trim(), password.value);
    };
    return [
      el(
        "form",
        { class: "sign-in", "aria-label": "Sign in", onsubmit: submit },
        name,
        password,
        el("button", { type: "submit" }, icon("key"), "Sign in"),
      ),
      el("p", { class: "message", id: "sign-in-message", role: "alert" }, this.message),
    ];
  }

  quiet() {
    this.host.querySelector(".message").textContent = "";
    this.host.querySelector("[type=password]").removeAttribute("aria-invalid");
  }
}

function refusal(answer) {
  if (!answer) return "No response from the server.";
  const [problem] = problems(answer);
  const [error] = answer.body?.errors ?? [];
  return problem?.message ?? error?.message ?? `The server responded with status ${answer.status}.`;
}
