// The console beyond HTML: lists that follow what is typed. Without it, the form's button does the same.
"use strict";

function follow(form) {
  const target = document.getElementById(form.dataset.live);
  if (!target) return;
  let asked = 0, waiting, shown = location.pathname + location.search;
  async function show() {
    const query = new URLSearchParams([...new FormData(form)].filter(([, value]) => value !== ""));
    const address = query.size ? `${form.getAttribute("action")}?${query}` : form.getAttribute("action");
    // A field that is left says so, too: what stands there is not asked for again.
    if (address === shown) return;
    shown = address;
    const turn = ++asked;
    target.setAttribute("aria-busy", "true");
    try {
      const answer = await fetch(address, { headers: { accept: "text/html" } });
      // Signed out, refused or unwell: the page itself says so better.
      if (!answer.ok || answer.redirected) return location.assign(address);
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const found = page.getElementById(target.id);
      if (turn !== asked) return;
      if (!found) return location.assign(address);
      target.replaceChildren(...document.importNode(found, true).childNodes);
      // "Show all" is offered as soon as there is more to show.
      const [go, itsGo] = [form, page.querySelector(`form[data-live="${target.id}"]`)].map((of) => of?.querySelector(".filters-go"));
      if (go && itsGo && !go.contains(document.activeElement)) go.replaceChildren(...document.importNode(itsGo, true).childNodes);
      history.replaceState(null, "", address);
      tellTimes();
    } catch { shown = null; // Away for a moment: the form's button is still there.
    } finally {
      if (turn === asked) target.removeAttribute("aria-busy");
    }
  }
  const soon = () => { clearTimeout(waiting); waiting = setTimeout(show, 180); };
  form.addEventListener("input", soon);
  form.addEventListener("change", soon);
}

document.addEventListener("DOMContentLoaded", () => document.querySelectorAll("form[data-live]").forEach(follow));

// A figure that goes on: its page is fetched again, and its inside replaced, until it says no more that it goes on.
function goOn(figure) {
  const pause = Number(figure.dataset.refresh) * 1000;
  async function renew() {
    if (!figure.dataset.refresh) return;
    // Nobody looks: nothing is asked until somebody does.
    if (document.hidden) return document.addEventListener("visibilitychange", renew, { once: true });
    try {
      const headers = { accept: "text/html", "x-unasked": "1" };
      const answer = await fetch(figure.dataset.refreshFrom ?? location.href, { headers });
      // Signed out, or gone. Trouble passes.
      if (answer.redirected || (!answer.ok && answer.status < 500)) return;
      if (!answer.ok) throw answer;
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const found = page.getElementById(figure.id);
      if (!found) return;
      const open = [...figure.querySelectorAll("details")].map((details) => details.open);
      figure.replaceChildren(...document.importNode(found, true).childNodes);
      figure.querySelectorAll("details").forEach((details, index) => { details.open = open[index] ?? false; });
      const favicon = found.dataset.favicon;
      if (favicon) document.querySelector("link[rel=icon]").href = favicon;
      if (!found.dataset.refresh) delete figure.dataset.refresh;
      tellTimes();
    } catch { /* Away for a moment: what stands there is what was. */ }
    setTimeout(renew, pause);
  }
  setTimeout(renew, pause);
}

document.addEventListener("DOMContentLoaded", () => document.querySelectorAll("[data-refresh]").forEach(goOn));
