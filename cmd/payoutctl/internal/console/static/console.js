// The pages work without this script. It reads the elements with data-live again when
// the console announces a change, and copies texts.
"use strict";

const pause = document.getElementById("pause");
const connection = document.getElementById("connection");
let source, isPaused = false, isReading = false, isStale = false;

// isEdited reports whether a person has changed a field of an element.
function isEdited(element) {
  return [...element.querySelectorAll("input, textarea, select")].some((field) => field.options
    ? field.selectedIndex !== Math.max(0, [...field.options].findIndex((option) => option.defaultSelected))
    : field.checked !== field.defaultChecked || field.value !== field.defaultValue);
}

// replace puts a fresh element in the place of an old one, with its open details and its
// focus. It leaves an element that a person works in.
function replace(old, fresh) {
  const focus = old.contains(document.activeElement) ? document.activeElement : null;
  for (const open of old.querySelectorAll("details[open]")) fresh.querySelector("#" + CSS.escape(open.id))?.setAttribute("open", "");
  const next = focus && [...fresh.querySelectorAll("a, button, summary")].find((element) => element.outerHTML === focus.outerHTML);
  if (fresh.isEqualNode(old) || isEdited(old) || (focus && !next)) return;
  old.replaceWith(fresh);
  next?.focus();
}

// refresh reads the page again and replaces its live elements.
async function refresh() {
  if (isPaused || document.hidden || isReading) { isStale = true; return; }
  isReading = true; isStale = false;
  try {
    const answer = await fetch(location.href, { redirect: "error" });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (!answer.ok) {
      isStale = answer.status >= 500; // the stack does not answer: try again
      say(page.querySelector("main")?.innerText || "The console does not answer");
      return;
    }
    if (!document.querySelector("main [data-live]")) { location.reload(); return; } // the stack answers again
    prepare(page);
    for (const old of document.querySelectorAll("[data-live]")) {
      const fresh = page.getElementById(old.id);
      if (fresh) replace(old, fresh);
    }
    if (!page.body.dataset.events) disconnect();
    say("");
  } catch {
    say("The console does not answer. It was stopped, or is starting.");
  } finally {
    isReading = false;
    if (isStale && !isPaused) setTimeout(refresh, 1000);
  }
}

function say(text) {
  if (!connection || connection.textContent === text) return;
  connection.textContent = text;
  connection.hidden = text === "";
}

// connect opens the stream of announcements. A hidden page has none, because a browser
// opens few connections to a host.
function connect() {
  if (source || document.hidden || !document.body.dataset.events) return;
  source = new EventSource(document.body.dataset.events);
  source.addEventListener("changed", refresh);
  source.addEventListener("open", () => { if (isStale || connection.textContent) refresh(); });
  source.addEventListener("error", () => say("Live updates are interrupted; connecting again. A console that was started again has another address: it is printed."));
}

function disconnect() {
  source?.close();
  source = undefined;
}

if (document.body.dataset.events) {
  connect();
  document.addEventListener("visibilitychange", () => {
    isStale = true;
    if (document.hidden) disconnect(); else connect();
  });
  pause.hidden = false;
  pause.addEventListener("click", () => {
    isPaused = !isPaused;
    pause.setAttribute("aria-pressed", String(isPaused));
    pause.textContent = isPaused ? "Resume updates" : "Pause updates";
    if (!isPaused) refresh();
  });
}

// prepare shows the buttons that copy, if the browser can.
function prepare(page) {
  for (const button of page.querySelectorAll("button[data-copy]")) button.hidden = !navigator.clipboard;
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest("button[data-copy]");
  if (!button) return;
  const hasCopied = await navigator.clipboard.writeText(button.dataset.copy).then(() => true, () => false);
  button.classList.add(hasCopied ? "copied" : "refused");
  setTimeout(() => button.classList.remove("copied", "refused"), 1500);
});

prepare(document);
