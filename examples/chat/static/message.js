// One message of the conversation: its text with citations, how it ended, its sources, and what can be done with it.
"use strict";

window.Message = class {
  static CITED = /\[(\d{1,2}(?:\s*,\s*\d{1,2})*)\]/g;
  static MARKS = /\*\*([^*\n]+)\*\*|`([^`\n]+)`/g;
  static ENDS = {
    stopped: "Stopped before its end.",
    cut: "Cut off before its end.",
    failed: "There is no answer.",
    interrupted: "Interrupted before its end.",
  };

  /** `edit(message, text)` and `retry()` are called when the person wants that. */
  constructor(message, { edit, retry }) {
    this.message = message;
    this.element = document.createElement("li");
    this.element.className = `chat-message ${message.role}`;
    this.element.dataset.id = message.id;
    this.body = Message.make("div", "chat-text");
    this.below = Message.make("div", "chat-below");
    this.element.append(Message.make("span", "visually-hidden", message.role === "user" ? "You:" : "Answer:"), this.body, this.below);
    Object.assign(this, { edit, retry });
  }

  static make(tag, className = "", text = "") {
    return Object.assign(document.createElement(tag), { className, textContent: text });
  }

  static button(label, action) {
    const button = Message.make("button", "plain", label);
    button.type = "button";
    button.addEventListener("click", action);
    return button;
  }

  /** Take the message as the server has it; `last` says whether it is the last one. What did not change stays open. */
  update(message, last) {
    const drawn = JSON.stringify([message, last]);
    if (drawn === this.drawn) return;
    Object.assign(this, { message, last, drawn });
    this.element.dataset.status = message.status;
    this.show(message.text);
    const ended = message.status in Message.ENDS;
    const parts = [];
    if (ended) parts.push(Message.make("p", "chat-ended", message.error ?? Message.ENDS[message.status]));
    if (message.sources.length && message.status !== "streaming") parts.push(this.sources());
    if (last && message.role === "assistant" && message.status !== "streaming") parts.push(Message.button(ended ? "Try again" : "Ask again", this.retry));
    if (message.role === "user") parts.push(Message.button("Edit", () => this.ask()));
    const open = [...this.below.querySelectorAll("details[open]")].map(({ dataset }) => dataset.number);
    this.below.replaceChildren(...parts);
    for (const one of this.below.querySelectorAll("details")) one.open = open.includes(one.dataset.number);
  }

  /** Draw the message again, in place of a form. */
  redraw() {
    this.drawn = "";
    this.update(this.message, this.last);
  }

  /** Show a text, of an answer also while it grows. */
  show(text) {
    if (this.message.role === "user") {
      this.body.textContent = text;
      return;
    }
    const blocks = text.split(/\n{2,}/).filter((block) => block.trim()).map((block) => this.block(block));
    this.body.replaceChildren(...blocks);
  }

  block(text) {
    const items = text.split("\n").filter((line) => line.trim());
    if (items.length && items.every((line) => /^\s*[-*] /.test(line))) {
      const list = document.createElement("ul");
      list.append(...items.map((line) => { const item = document.createElement("li"); this.inline(item, line.replace(/^\s*[-*] /, "")); return item; }));
      return list;
    }
    const paragraph = document.createElement("p");
    this.inline(paragraph, text);
    return paragraph;
  }

  // Bold, code and citations become elements; everything else stays text.
  inline(element, text) {
    const marks = [...text.matchAll(Message.MARKS), ...text.matchAll(Message.CITED)].sort((one, other) => one.index - other.index);
    let at = 0;
    for (const mark of marks) {
      if (mark.index < at) continue;
      element.append(text.slice(at, mark.index));
      at = mark.index + mark[0].length;
      if (mark[0][0] === "[") element.append(...this.citations(mark));
      else element.append(Message.make(mark[1] ? "strong" : "code", "", mark[1] ?? mark[2]));
    }
    element.append(text.slice(at));
  }

  citations(mark) {
    const numbers = mark[1].split(",").map(Number);
    const known = numbers.map((number) => this.message.sources.find((source) => source.number === number));
    if (!known.every(Boolean)) return [mark[0]];
    return known.map((source) => {
      const button = Message.button(source.number, () => this.open(source.number));
      button.className = "chat-cite";
      button.title = Message.named(source);
      button.setAttribute("aria-label", `Source ${source.number}: ${button.title}`);
      return button;
    });
  }

  static named({ name, page }) {
    return page ? `${name}, page ${page}` : name;
  }

  // The sources that the answer cites; if it cites none, what the model was given is folded away.
  sources() {
    const cited = new Set([...this.message.text.matchAll(Message.CITED)].flatMap((mark) => mark[1].split(",").map(Number)));
    const found = this.message.sources.filter(({ number }) => cited.has(number));
    const box = Message.make("div", "chat-sources");
    if (found.length) {
      box.append(...found.map(Message.source));
    } else {
      const rest = document.createElement("details");
      const number = this.message.sources.length;
      rest.append(Message.make("summary", "", `Excerpts that were found and not cited: ${number}`));
      rest.append(...this.message.sources.map(Message.source));
      box.append(rest);
    }
    return box;
  }

  static source(source) {
    const one = document.createElement("details");
    one.dataset.number = source.number;
    const link = Object.assign(document.createElement("a"), { href: `/api/files/${source.document_id}/content`, textContent: "Download the document" });
    const summary = Message.make("summary", "", Message.named(source));
    summary.prepend(Message.make("span", "chat-number", source.number));
    one.append(summary, Message.make("blockquote", "", source.text), link);
    return one;
  }

  open(number) {
    const found = this.below.querySelector(`details[data-number="${number}"]`);
    if (!found) return;
    found.open = true;
    found.scrollIntoView({ block: "nearest" });
    found.querySelector("summary").focus({ preventScroll: true });
  }

  ask() {
    const form = Message.make("form", "chat-edit");
    const field = Object.assign(document.createElement("textarea"), { value: this.message.text, required: true, maxLength: 8000 });
    field.setAttribute("aria-label", "Question");
    const save = Object.assign(Message.make("button", "primary", "Ask"), { type: "submit" });
    form.append(field, save, Message.button("Cancel", () => this.redraw()));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.edit(this.message, field.value);
    });
    this.below.replaceChildren(form);
    field.focus();
  }
};
