// The pages work without this script. It reads the elements with data-live again when
// the console announces a change, and copies texts.
"use strict";

const pause = document.getElementById("pause");
const connection = document.getElementById("connection");
let source, isPaused = false, isReading = false, isStale = false;

// isInUse reports whether a person works in an element: in a field, with a change of a
// field, or with selected text.
function isInUse(element) {
  const selection = getSelection();
  if (!selection.isCollapsed && selection.containsNode(element, true)) return true;
  return [...element.querySelectorAll("input, textarea, select")].some((field) => field === document.activeElement || (field.options
    ? field.selectedIndex !== Math.max(0, [...field.options].findIndex((option) => option.defaultSelected))
    : field.checked !== field.defaultChecked || field.value !== field.defaultValue));
}

// replace puts a fresh element in the place of an old one, with its open details, focus and
// scrolled tables. It returns false for an element that a person works in: that stays.
function replace(old, fresh) {
  for (const open of old.querySelectorAll("details[open]")) fresh.querySelector("#" + CSS.escape(open.id))?.setAttribute("open", "");
  if (fresh.isEqualNode(old)) return true;
  if (isInUse(old)) return false;
  const focus = document.activeElement;
  const name = (control) => control.getAttribute("href") || control.textContent;
  const alike = (element) => [...element.querySelectorAll("a, button, summary")].filter((control) => name(control) === name(focus));
  const place = alike(old).indexOf(focus);
  const scrolled = [...old.querySelectorAll(".table")].map((table) => table.scrollLeft);
  old.replaceWith(fresh);
  fresh.querySelectorAll(".table").forEach((table, n) => { table.scrollLeft = scrolled[n] ?? 0; });
  if (place >= 0) alike(fresh)[place]?.focus({ preventScroll: true });
  return true;
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
      const texts = [...page.querySelectorAll("h1, #error p")].map((part) => part.textContent);
      say(document.getElementById("error") ? "" : texts.join(": "));
      return;
    }
    if (!document.querySelector("main [data-live]")) { location.reload(); return; } // the stack answers again
    const kept = [...document.querySelectorAll("[data-live]")].filter((old) => {
      const fresh = page.getElementById(old.id);
      return fresh && !replace(old, fresh);
    });
    say(kept.length > 0 ? "The part in which you type or select is not updated meanwhile." : "");
    if (kept.length === 0 && !page.body.dataset.events) end();
  } catch {
    say("The console does not answer. It was stopped, or is starting.");
  } finally {
    isReading = false;
    if (isStale && !isPaused) setTimeout(refresh, 1000);
  }
}

function say(text) {
  if (connection && connection.textContent !== text) connection.textContent = text;
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

// end ends the updates of a page that changes no more.
function end() {
  disconnect();
  delete document.body.dataset.events;
  pause.hidden = true;
}

if (document.body.dataset.events) {
  connect();
  document.addEventListener("visibilitychange", () => {
    isStale = true;
    if (document.hidden) disconnect(); else connect();
  });
  pause.addEventListener("click", () => {
    isPaused = !isPaused;
    pause.setAttribute("aria-pressed", String(isPaused));
    pause.textContent = isPaused ? "Resume updates" : "Pause updates";
    if (!isPaused) refresh();
  });
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest("button[data-copy]");
  if (!button) return;
  const hasCopied = await navigator.clipboard.writeText(button.dataset.copy).then(() => true, () => false);
  button.classList.add(hasCopied ? "copied" : "refused");
  setTimeout(() => button.classList.remove("copied", "refused"), 1500);
});
