// What every page gets. Nothing here decides anything: without it every page still works, with whole loads.
import htmx from "htmx.org";

document.documentElement.classList.add("js");

// -- lists that keep themselves fresh ---------------------------------------------------------------------------
// 204 means "as you have it": nothing is swapped, so focus, selection and scrolling stay where they were.
document.addEventListener("htmx:beforeSwap", (event) => {
  const { xhr } = event.detail;
  if (xhr.status === 422) {
    event.detail.shouldSwap = true;
    event.detail.isError = false;
  }
  // A login page must never be swapped into a list: the session has ended, so go where the whole page says so.
  if (xhr.responseURL && new URL(xhr.responseURL).pathname === "/login") window.location.reload();
});
document.addEventListener("htmx:beforeRequest", (event) => {
  if (document.hidden) event.preventDefault(); // nobody is looking: the next tick will do
});

// -- buttons answer at once, and only once ----------------------------------------------------------------------
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.dataset.sending) {
    event.preventDefault();
    return;
  }
  form.dataset.sending = "yes";
  // after the browser has collected the fields: a disabled button would not send its own value
  setTimeout(() => {
    event.submitter?.setAttribute("aria-busy", "true");
    for (const button of form.querySelectorAll("button")) button.disabled = true;
  });
});
window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sending]")) {
    delete form.dataset.sending;
    for (const button of form.querySelectorAll("button")) {
      button.disabled = false;
      button.removeAttribute("aria-busy");
    }
  }
});

// -- small conveniences -----------------------------------------------------------------------------------------
function ready(root) {
  root.querySelector?.("[data-focus]")?.focus();
  for (const button of root.querySelectorAll?.("[data-print]") ?? []) {
    button.hidden = false;
    button.addEventListener("click", () => window.print());
  }
  for (const select of root.querySelectorAll?.("select[data-autosubmit]") ?? []) {
    select.addEventListener("change", () => select.form.requestSubmit());
  }
  for (const area of root.querySelectorAll?.("textarea") ?? []) grow(area);
  for (const box of root.querySelectorAll?.("[data-tabs]") ?? []) tabs(box);
  for (const place of root.querySelectorAll?.("[data-diagram]") ?? []) diagram(place);
}

// On paper nothing can be unfolded: open every record for the print, and fold back what was folded.
window.addEventListener("beforeprint", () => {
  for (const folded of document.querySelectorAll("details.card:not([open])")) {
    folded.open = true;
    folded.dataset.unfolded = "yes";
  }
});
window.addEventListener("afterprint", () => {
  for (const unfolded of document.querySelectorAll("details[data-unfolded]")) {
    unfolded.open = false;
    delete unfolded.dataset.unfolded;
  }
});

function grow(area) {
  const fit = () => {
    area.style.height = "auto";
    area.style.height = `${area.scrollHeight + 2}px`;
  };
  area.addEventListener("input", fit);
  if (area.value) fit();
}

// On a narrow screen the parts of a page stand behind tabs; on a wide one, and without this script, beside each other.
function tabs(box) {
  const panels = [...box.querySelectorAll(":scope > [data-tab]")];
  if (panels.length < 2) return;
  const list = document.createElement("div");
  list.className = "tabs";
  list.setAttribute("role", "tablist");
  const buttons = panels.map((panel, place) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = panel.dataset.tab;
    button.id = `${panel.id}-tab`;
    button.setAttribute("role", "tab");
    button.setAttribute("aria-controls", panel.id);
    button.addEventListener("click", () => show(place));
    button.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (step) {
        show((place + step + panels.length) % panels.length);
        buttons[(place + step + panels.length) % panels.length].focus();
      }
    });
    list.append(button);
    return button;
  });
  const show = (chosen) => {
    panels.forEach((panel, place) => panel.classList.toggle("is-behind", place !== chosen));
    buttons.forEach((button, place) => {
      button.setAttribute("aria-selected", String(place === chosen));
      button.tabIndex = place === chosen ? 0 : -1;
    });
  };
  box.prepend(list);
  show(0);
}

// The viewer is large: it is fetched when a diagram comes into sight, not before.
function diagram(place) {
  const seen = new IntersectionObserver((entries) => {
    if (!entries.some((entry) => entry.isIntersecting)) return;
    seen.disconnect();
    import("./diagram.js").then(({ show }) => show(place));
  });
  seen.observe(place);
}

htmx.onLoad(ready);
