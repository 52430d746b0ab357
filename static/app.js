// What a page does beyond HTML: remembers the theme, tells times by the reader's clock, copies, counts down, filters.
// Every page works without it; whatever needs it is `hidden` until it runs.
"use strict";

// Runs before the page is painted, so that a remembered theme does not flash.
const root = document.documentElement;
const themes = ["system", "light", "dark"];
const storage = {
  // Storage may be switched off altogether; then the choice lasts as long as the page.
  get() { try { return localStorage.getItem("theme"); } catch { return null; } },
  set(theme) { try { localStorage.setItem("theme", theme); } catch { /* as above */ } },
};
let theme = themes.includes(storage.get()) ? storage.get() : "system";
root.dataset.theme = theme;

const units = [["year", 31536000], ["month", 2592000], ["day", 86400], ["hour", 3600], ["minute", 60]];
const relative = new Intl.RelativeTimeFormat(undefined, { numeric: "auto" });
const secondsUntil = (iso) => (Date.parse(iso) - Date.now()) / 1000;

const clockOf = (time) => new Date(time.dateTime).toLocaleTimeString(undefined, { hour: "2-digit", minute: "2-digit" });

function tellTimes() {
  for (const time of document.querySelectorAll("time[data-relative]")) {
    const seconds = secondsUntil(time.dateTime);
    const [unit, size] = units.find(([, size]) => Math.abs(seconds) >= size) ?? [];
    time.textContent = unit ? relative.format(Math.trunc(seconds / size), unit) : seconds > 0 ? "in a moment" : "just now";
  }
  for (const time of document.querySelectorAll("time[data-countdown]")) {
    const left = Math.ceil(secondsUntil(time.dateTime));
    time.textContent = left <= 0 ? "any moment now"
      : left < 60 ? `in ${left} s`
      : left < 5400 ? `in ${Math.floor(left / 60)} min` : `at ${clockOf(time)}`;
  }
  for (const time of document.querySelectorAll("time[data-clock]")) time.textContent = clockOf(time);
  for (const bar of document.querySelectorAll("progress[data-until]")) {
    bar.value = Math.max(0, secondsUntil(bar.dataset.until));
  }
}

function showTheme(button) {
  root.dataset.theme = theme;
  const names = { system: "System theme", light: "Light theme", dark: "Dark theme" };
  button.querySelector("[data-theme-name]").textContent = names[theme];
}

function filterCards(box) {
  const input = box.querySelector("input");
  const cards = [...document.getElementById(box.dataset.filter).querySelectorAll("[data-filter-text]")];
  const count = box.querySelector("[data-filter-count]");
  input.addEventListener("input", () => {
    const wanted = input.value.trim().toLocaleLowerCase();
    for (const card of cards) {
      const chosen = card.querySelector("input").checked;
      card.hidden = !chosen && !card.dataset.filterText.toLocaleLowerCase().includes(wanted);
    }
    const shown = cards.filter((card) => !card.hidden).length;
    count.textContent = wanted === "" ? "" : `${shown} of ${cards.length} shown`;
  });
  // Enter in the search must not send the form around it.
  input.addEventListener("keydown", (event) => { if (event.key === "Enter") event.preventDefault(); });
  box.hidden = false;
}

async function copy(button) {
  await navigator.clipboard.writeText(button.dataset.copy);
  button.dataset.status = "done";
  setTimeout(() => delete button.dataset.status, 1600);
}

document.addEventListener("DOMContentLoaded", () => {
  // The page of a refused callback: its address holds what should not stay in a history or a screenshot.
  const clear = document.body.dataset.clearAddress;
  if (clear) history.replaceState(null, "", clear);

  for (const button of document.querySelectorAll("[data-theme-switch]")) {
    button.hidden = false;
    showTheme(button);
    button.addEventListener("click", () => {
      theme = themes[(themes.indexOf(theme) + 1) % themes.length];
      storage.set(theme);
      showTheme(button);
    });
  }
  if (navigator.clipboard) {
    for (const button of document.querySelectorAll("[data-copy]")) {
      button.hidden = false;
      button.addEventListener("click", () => copy(button));
    }
  }
  document.querySelectorAll("[data-filter]").forEach(filterCards);
  document.querySelector("[data-focus]")?.focus();

  tellTimes();
  setInterval(() => { if (!document.hidden) tellTimes(); }, 1000);
  document.addEventListener("visibilitychange", () => { if (!document.hidden) tellTimes(); });

  // An open menu closes where people expect it to.
  const menu = document.querySelector("details.account");
  document.addEventListener("click", (event) => { if (menu?.open && !menu.contains(event.target)) menu.open = false; });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && menu?.open) { menu.open = false; menu.querySelector("summary").focus(); }
  });
});
