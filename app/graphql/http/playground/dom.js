/** Helpers that create and find elements. */

export const $ = (id) => document.getElementById(id);

/** The label of the command key on this platform. */
export const MOD = /Mac|iPhone|iPad/.test(navigator.platform) ? "⌘" : "Ctrl";

export function el(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) assign(node, name, value);
  node.append(...children.flat(2).filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

function assign(node, name, value) {
  if (value === null || value === undefined || value === false) return;
  if (typeof value === "function") node.addEventListener(name.slice(2), value);
  else if (name === "value") node.value = value;
  else node.setAttribute(name, value === true ? "" : value);
}

export function icon(name) {
  const space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg");
  const use = document.createElementNS(space, "use");
  svg.setAttribute("class", `icon icon-${name}`);
  svg.setAttribute("aria-hidden", "true");
  use.setAttribute("href", `#icon-${name}`);
  svg.append(use);
  return svg;
}

export const iconButton = (name, label, onclick, props = {}) =>
  el("button", { type: "button", class: "quiet", title: label, "aria-label": label, onclick, ...props }, icon(name));

/** Announce a text to screen readers only. */
export function announce(text) {
  $("live").textContent = "";
  requestAnimationFrame(() => ($("live").textContent = text));
}

let toastTimer = 0;

/** Show a message for a few seconds. */
export function toast(text) {
  const node = $("toast");
  node.textContent = text;
  node.classList.add("shown");
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => node.classList.remove("shown"), 2200);
  announce(text);
}

export async function copy(text, what) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    copyByHand(text);
  }
  toast(`${what} copied`);
}

/** Copy through a selection: without https, browsers have no clipboard API. */
function copyByHand(text) {
  const before = document.activeElement;
  const area = el("textarea", { class: "unseen", value: text });
  document.body.append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
  before?.focus();
}

export function debounce(run, wait) {
  let timer = 0;
  return () => {
    clearTimeout(timer);
    timer = setTimeout(run, wait);
  };
}

/** Return a description as paragraphs, with `code` between backticks. */
export function prose(text) {
  const paragraphs = (text ?? "")
    .trim()
    .split(/\n\s*\n/)
    .filter(Boolean);
  return paragraphs.map((paragraph) => el("p", { class: "prose" }, inlineCode(paragraph)));
}

export const inlineCode = (text) =>
  text.split(/`([^`\n]+)`/).map((part, index) => (index % 2 ? el("code", {}, part) : part));
