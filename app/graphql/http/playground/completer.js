/** The list of suggestions at the cursor. The focus stays in the editor; `aria-activedescendant` names the option. */

import { el, inlineCode } from "./dom.js";
import { suggest } from "./suggest.js";

const LETTERS = {
  field: "f",
  argument: "a",
  value: "v",
  variable: "$",
  type: "T",
  fragment: "…",
  directive: "@",
  keyword: "k",
};

export class Completer {
  constructor(getSchema) {
    this.getSchema = getSchema;
    this.list = el("ul", { class: "options", role: "listbox", id: "suggestions", "aria-label": "Suggestions" });
    this.note = el("div", { class: "note" });
    this.box = el("div", { class: "completer", hidden: true }, this.list, this.note);
    document.querySelector("main").append(this.box);
  }

  attach(editor) {
    this.editor = editor;
    editor.area.setAttribute("aria-autocomplete", "list");
    editor.area.setAttribute("aria-controls", "suggestions");
    editor.area.addEventListener("blur", () => this.close());
    editor.area.addEventListener("pointerdown", () => this.close());
    editor.host.addEventListener("scroll", () => this.close());
  }

  get open() {
    return !this.box.hidden;
  }

  /** Open the list; without a key press, only after the first letter of a word and if an option differs from it. */
  ask(isRequested = false) {
    const schema = this.getSchema();
    const { area, text, caret } = this.editor;
    const suggestions = schema && area.selectionStart === caret ? suggest(text, caret, schema) : null;
    const idle = !suggestions?.items.length || (!isRequested && !suggestions.word && !this.following);
    const done = !isRequested && suggestions?.items.length === 1 && suggestions.items[0].insert === suggestions.word;
    this.following = false;
    if (idle || done) return this.close();
    this.suggestions = suggestions;
    this.show();
  }

  show() {
    this.list.replaceChildren(...this.suggestions.items.map((item, index) => this.option(item, index)));
    this.box.hidden = false;
    this.choose(0);
    const spot = this.editor.place(this.suggestions.start);
    const { offsetWidth: width, offsetHeight: height } = this.box;
    const below = spot.bottom + height + 8 < window.innerHeight;
    this.box.style.left = `${Math.max(8, Math.min(spot.left - 30, window.innerWidth - width - 8))}px`;
    this.box.style.top = `${below ? spot.bottom + 4 : Math.max(8, spot.top - height - 4)}px`;
  }

  option(item, index) {
    return el(
      "li",
      {
        id: `suggestion-${index}`,
        role: "option",
        class: item.deprecated ? "old" : null,
        onpointerdown: (event) => {
          event.preventDefault();
          this.choose(index);
          this.accept();
        },
      },
      el("span", { class: `kind k-${item.kind}`, "aria-hidden": "true" }, LETTERS[item.kind]),
      el("span", { class: "label" }, item.label, item.required && el("b", { title: "required" }, "*")),
      item.detail && el("span", { class: "detail" }, item.detail),
    );
  }

  choose(index) {
    const options = this.list.children;
    options[this.chosen]?.removeAttribute("aria-selected");
    this.chosen = (index + options.length) % options.length;
    const option = options[this.chosen];
    option.setAttribute("aria-selected", "true");
    option.scrollIntoView({ block: "nearest" });
    this.editor.area.setAttribute("aria-activedescendant", option.id);
    const item = this.suggestions.items[this.chosen];
    const about = [item.deprecated && `Deprecated: ${item.deprecated}`, item.about].filter(Boolean).join(" ");
    this.note.replaceChildren(...inlineCode(about.split("\n\n")[0]));
    this.note.hidden = !about;
  }

  accept() {
    const item = this.suggestions.items[this.chosen];
    const { text, caret } = this.editor;
    const end = caret + /^\w*/.exec(text.slice(caret))[0].length;
    this.close();
    this.following = Boolean(item.again);
    this.quiet = !item.again;
    const { start } = this.suggestions;
    this.editor.replace(start, end, item.insert, start + (item.caret ?? item.insert.length));
  }

  /** Update the list after a change of the text. */
  changed() {
    const quiet = this.quiet;
    this.quiet = false;
    if (quiet) this.close();
    else this.ask();
  }

  close() {
    this.box.hidden = true;
    this.editor.area.removeAttribute("aria-activedescendant");
  }

  /** Handle a key of the list; return true if it was handled. */
  key(event) {
    if ((event.ctrlKey || event.metaKey) && event.key === " ") this.ask(true);
    else if (!this.open) return false;
    else if (event.key === "ArrowDown") this.choose(this.chosen + 1);
    else if (event.key === "ArrowUp") this.choose(this.chosen - 1);
    else if (event.key === "PageDown") this.choose(Math.min(this.chosen + 8, this.suggestions.items.length - 1));
    else if (event.key === "PageUp") this.choose(Math.max(this.chosen - 8, 0));
    else if ((event.key === "Enter" && !event.ctrlKey && !event.metaKey) || event.key === "Tab") this.accept();
    else if (event.key === "Escape") this.close();
    else return this.leave(event);
    event.preventDefault();
    event.stopPropagation();
    return true;
  }

  leave(event) {
    if (/^(Arrow(Left|Right)|Home|End)$/.test(event.key)) this.close();
    return false;
  }
}
