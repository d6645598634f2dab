// Actions on jobs: each asks in the same words, and can be undone for some seconds where that is possible.
"use strict";

window.Undo = (() => {
  const KEPT = "console-undo";
  const TITLES = { requeue: "Retry", cancel: "Cancel", delete: "Delete" };
  let changed = () => {};

  /** Say what was done, with a button that takes it back; without tokens it cannot be taken back. */
  function offer(text, tokens) {
    Console.say(text, { undo: tokens.length ? () => takeBack(tokens) : null });
  }

  async function takeBack(tokens) {
    let [number, missed] = [0, 0];
    let refusal = null;
    for (const token of tokens) {
      try {
        const answer = await Console.post("jobs/undo", { token });
        number += answer.changed;
        missed += answer.missed;
      } catch (error) {
        refusal = error.message;
      }
    }
    const rest = missed ? ` ${Words.jobs(missed)} could not be: work on ${missed === 1 ? "it" : "them"} has begun.` : "";
    if (number) Console.say(`Undone for ${Words.jobs(number)}.${rest}`);
    else Console.say(refusal, { bad: true });
    changed();
  }

  return {
    DONE: { requeue: "queued again", cancel: "cancelled", delete: "deleted" },
    /** Ask before an action; `named` says which jobs. */
    ask(action, named, { then = "", number = 1 } = {}) {
      return ask(`${TITLES[action]} ${named}?`, { then, label: `${TITLES[action]} ${number === 1 ? "job" : "jobs"}` });
    },
    offer,
    /** Offer to undo on the page that is opened next. */
    carry(text, tokens) { sessionStorage.setItem(KEPT, JSON.stringify([text, tokens])); },
    /** Call a function after something was undone; show what the last page has left. */
    begin(onChange) {
      changed = onChange;
      const left = sessionStorage.getItem(KEPT);
      sessionStorage.removeItem(KEPT);
      if (left) offer(...JSON.parse(left));
    },
  };
})();
