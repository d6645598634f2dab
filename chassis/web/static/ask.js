// Asks before an act, in the popover of asking.html: `if (await ask("Delete the batch “a”?", { label: "Delete" })) …`
"use strict";

window.ask = (question, { then = "", label }) => {
  const box = document.getElementById("asking");
  const [words, more] = box.querySelectorAll("p");
  const yes = box.querySelector("button.danger");
  if (box.matches(":popover-open")) box.hidePopover();
  words.textContent = question;
  more.textContent = then;
  more.hidden = !then;
  yes.textContent = label;
  return new Promise((answered) => {
    let agreed = false;
    yes.onclick = () => { agreed = true; box.hidePopover(); };
    box.ontoggle = ({ newState }) => { if (newState === "closed") answered(agreed); };
    box.showPopover();
  });
};
