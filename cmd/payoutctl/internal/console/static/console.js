// The pages work without this script. It reads the elements with data-live again when
// the console announces a change, and copies texts.
"use strict";

const pause = document.getElementById("pause");
const connection = document.getElementById("connection");
let isPaused = false, isReading = false, isStale = false;

// refresh reads the page again and replaces its live elements, unless a person is
// working in them.
async function refresh() {
  if (isPaused || document.hidden || isReading) { isStale = true; return; }
  isReading = true; isStale = false;
  try {
    const answer = await fetch(location.href, { redirect: "error" });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (!answer.ok) {
      isStale = answer.status >= 500; // the stack does not answer: try again
      say(page.querySelector("h1")?.textContent || "The console does not answer");
      return;
    }
    for (const old of document.querySelectorAll("[data-live]")) {
      const fresh = page.getElementById(old.id);
      for (const open of old.querySelectorAll("details[open]")) page.getElementById(open.id)?.setAttribute("open", "");
      if (!fresh || fresh.isEqualNode(old) || old.contains(document.activeElement)) continue;
      old.replaceWith(fresh);
    }
    if (!page.body.dataset.events) source?.close();
    say("");
    prepare();
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

let source;
if (document.body.dataset.events) {
  source = new EventSource(document.body.dataset.events);
  source.addEventListener("changed", refresh);
  source.addEventListener("open", () => { if (isStale || connection.textContent) refresh(); });
  source.addEventListener("error", () => say("Live updates are interrupted; connecting again …"));
  document.addEventListener("visibilitychange", () => { if (!document.hidden && isStale) refresh(); });
  document.addEventListener("focusout", () => { isStale = true; setTimeout(() => { if (isStale) refresh(); }, 1000); });
  pause.hidden = false;
  pause.addEventListener("click", () => {
    isPaused = !isPaused;
    pause.setAttribute("aria-pressed", String(isPaused));
    pause.textContent = isPaused ? "Resume updates" : "Pause updates";
    if (!isPaused) refresh();
  });
}

function prepare() {
  for (const button of document.querySelectorAll("button[data-copy]")) button.hidden = !navigator.clipboard;
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest("button[data-copy]");
  if (!button) return;
  await navigator.clipboard.writeText(button.dataset.copy);
  button.classList.add("copied");
  setTimeout(() => button.classList.remove("copied"), 1500);
});

prepare();
