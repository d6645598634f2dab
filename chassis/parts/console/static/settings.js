// Searches the settings while somebody types; the search is in the URL, so that it can be linked.
"use strict";

(() => {
  const $ = (id) => document.getElementById(id);
  const settings = [...document.querySelectorAll(".setting")].map((element) => [element, element.textContent.toLowerCase()]);

  function search() {
    const words = $("q").value.toLowerCase().split(/\s+/).filter(Boolean);
    let found = 0;
    for (const [element, text] of settings) {
      element.hidden = !words.every((word) => text.includes(word));
      if (!element.hidden) found += 1;
    }
    for (const group of document.querySelectorAll(".group")) {
      group.hidden = !group.querySelector(".setting:not([hidden])");
      if (words.length || search.last) group.open = words.length > 0;
    }
    search.last = words.length > 0;
    $("no-settings").hidden = found > 0;
    Words.put($("settings-count"), words.length ? `${found} of ${settings.length}` : "");
    Console.address({ q: $("q").value.trim() });
  }

  $("q").addEventListener("input", search);
  $("settings-search").addEventListener("submit", (event) => { event.preventDefault(); search(); });
  search();
  const linked = document.getElementById(location.hash.slice(1))?.closest(".group");
  if (linked) linked.open = true;
})();
