// The theme, kept in this browser: the system's, light or dark. This runs before the page is drawn, so nothing flashes.
"use strict";

(() => {
  const KEY = "theme";
  const root = document.documentElement;

  function kept() {
    try {
      return localStorage.getItem(KEY) ?? "";
    } catch { // the browser keeps nothing for this site
      return "";
    }
  }

  function keep(theme) {
    try {
      localStorage.setItem(KEY, theme);
    } catch { /* it holds for this page only */ }
  }

  function apply(theme) {
    root.dataset.theme = ["light", "dark"].includes(theme) ? theme : "system";
    const choice = document.getElementById("theme");
    if (choice) choice.value = root.dataset.theme;
    dispatchEvent(new Event("themechange"));
  }

  apply(kept());
  addEventListener("storage", ({ key }) => { if (key === KEY || key === null) apply(kept()); });
  addEventListener("DOMContentLoaded", () => {
    const choice = document.getElementById("theme");
    if (!choice) return; // a service's own base.html
    choice.value = root.dataset.theme;
    choice.addEventListener("change", () => {
      keep(choice.value);
      apply(choice.value);
    });
  });
})();
