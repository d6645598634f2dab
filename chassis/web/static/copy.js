// Copies what a button with data-copy names by its id: the value of a field, or the text of another element.
"use strict";

(() => {
  const SHOWN_MS = 3000;

  async function copied(element) {
    try {
      await navigator.clipboard.writeText(element.value ?? element.innerText);
      return true;
    } catch { // without HTTPS there is no clipboard: select the text instead
      getSelection().selectAllChildren(element);
      element.select?.();
      return document.execCommand("copy");
    }
  }

  document.addEventListener("click", async ({ target }) => {
    const button = target.closest("button[data-copy]");
    if (!button) return;
    button.dataset.label ??= button.textContent;
    button.textContent = await copied(document.getElementById(button.dataset.copy)) ? "Copied" : "Press Ctrl+C";
    setTimeout(() => { button.textContent = button.dataset.label; }, SHOWN_MS);
  });
})();
