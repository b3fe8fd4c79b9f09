/** What the page can do only with a script: address this server in the curl lines, copy them, find an operation. */

const server = location.href.replace(/\/openapi\/?([?#].*)?$/, "");
const live = document.getElementById("live");

for (const span of document.querySelectorAll(".server")) span.textContent = server;

for (const pre of document.querySelectorAll(".curl")) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = "Copy";
  button.setAttribute("aria-label", "Copy the curl line");
  button.addEventListener("click", () => copy(pre, button));
  const frame = document.createElement("div");
  frame.className = "copied";
  pre.replaceWith(frame);
  frame.append(pre, button);
}

async function copy(pre, button) {
  try {
    await navigator.clipboard.writeText(pre.textContent);
    say(button, "Copied");
  } catch {
    getSelection().selectAllChildren(pre);
    say(button, "Selected");
  }
}

function say(button, text) {
  button.textContent = live.textContent = text;
  setTimeout(() => (button.textContent = "Copy"), 1500);
}

const filter = document.getElementById("filter");
filter.closest("label").hidden = false;
filter.addEventListener("input", () => {
  const wanted = filter.value.trim().toLowerCase();
  const shown = (link) => `${link.textContent} ${link.title} ${link.hash}`.toLowerCase().includes(wanted);
  for (const group of document.querySelectorAll("nav > ul > li")) {
    const entries = [...group.querySelectorAll("ul > li")];
    for (const entry of entries) entry.hidden = !shown(entry.firstElementChild);
    group.hidden = wanted !== "" && entries.every((entry) => entry.hidden);
  }
});
