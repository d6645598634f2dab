// The conversation: the database's messages are authoritative, and the stream shows the text of an answer as it comes.
"use strict";

(() => {
  const $ = (id) => document.getElementById(id);
  const API = "/api/chat/conversations";
  const LOOK_MS = 3000; // between two looks at an answer of which nothing is heard
  const NEAR_PIXELS = 120;
  let id = $("chat").dataset.id;
  let shown = new Map();
  let loading = null;
  let again = false;
  let looking = null;

  const talk = Live.answers({
    show: (_, text, { message }) => {
      const found = shown.get(message);
      if (!found) return load();
      keepDown(() => found.show(text));
    },
    ended: () => load(),
  });

  function tell(error) {
    $("error").hidden = !error;
    $("error").textContent = error?.message ?? "";
    if (error) $("error").scrollIntoView({ block: "nearest" });
  }

  // Follows the end of the page while somebody reads there, and leaves it alone otherwise.
  function keepDown(change) {
    const root = document.documentElement;
    const near = root.scrollHeight - root.scrollTop - root.clientHeight < NEAR_PIXELS;
    change();
    if (near) root.scrollTop = root.scrollHeight;
  }

  function running() {
    return [...talk.running].find(([, { about }]) => shown.has(about.message));
  }

  function draw({ title, messages }) {
    const before = shown;
    shown = new Map();
    messages.forEach((message, at) => {
      const one = before.get(message.id) ?? new Message(message, { edit, retry });
      const streamed = [...talk.running.values()].find(({ about }) => about.message === message.id);
      const text = message.status === "streaming" && streamed ? streamed.text : message.text;
      shown.set(message.id, one);
      if (!one.element.querySelector(".chat-edit")) one.update({ ...message, text }, at === messages.length - 1);
    });
    const elements = [...shown.values()].map(({ element }) => element);
    if (elements.some((element, at) => $("messages").children[at] !== element) || $("messages").children.length !== elements.length) {
      $("messages").replaceChildren(...elements);
    }
    $("title").textContent = document.title = title;
    $("hello").hidden = messages.length > 0;
    $("own").hidden = false;
    const writing = messages.at(-1)?.status === "streaming";
    $("send").hidden = writing;
    $("stop").hidden = !writing;
    $("stop").disabled = false;
    clearTimeout(looking);
    if (writing) looking = setTimeout(() => (running() ? draw.later() : load()), LOOK_MS);
  }
  draw.later = () => { looking = setTimeout(() => (running() ? draw.later() : load()), LOOK_MS); };

  async function fetchAll() {
    while (again) {
      again = false;
      const conversation = await Live.api(`${API}/${id}`);
      keepDown(() => draw(conversation));
    }
  }

  // Fetches the conversation; called again meanwhile, it fetches once more.
  function load() {
    again = true;
    loading ??= fetchAll().catch(tell).finally(() => { loading = null; });
    return loading;
  }

  const list = new Listing(API, $("conversations"), $("more-conversations"), {
    item: (one) => {
      const element = document.createElement("li");
      const link = Object.assign(document.createElement("a"), { href: `/chat/${one.id}`, textContent: one.title });
      if (one.id === id) link.setAttribute("aria-current", "page");
      element.append(link, Times.element(one.changed_at));
      return element;
    },
    told: (total) => {
      $("no-conversations").hidden = total > 0;
      $("all").hidden = total === 0;
    },
  });

  function follow() {
    Live.rooms.follow(`chat:${id}`, {
      event: "chat:follow", message: { id }, on: { ...talk.on, "chat:changed": load },
      resync: (answer, early) => { talk.resync(answer, early); load(); },
    });
  }

  async function act(method, path, body) {
    tell(null);
    try {
      const headers = body ? { "Content-Type": "application/json" } : {};
      return { answer: await Live.api(path, { method, headers, body: body && JSON.stringify(body) }) };
    } catch (error) {
      tell(error);
      return null;
    }
  }

  async function begin() {
    const made = await act("POST", API);
    if (!made) return false;
    id = made.answer.id;
    history.replaceState(null, "", `/chat/${id}`);
    follow();
    return true;
  }

  async function ask(text) {
    $("send").disabled = true;
    const asked = (id || (await begin())) && (await act("POST", `${API}/${id}/messages`, { text }));
    $("send").disabled = false;
    if (!asked) return;
    $("question").value = "";
    grow();
    await load();
    document.documentElement.scrollTop = document.documentElement.scrollHeight;
    list.load().catch(tell);
  }

  async function edit(message, text) {
    if (await act("PUT", `${API}/${id}/messages/${message.id}`, { text })) {
      shown.get(message.id)?.redraw();
      load();
    }
  }

  async function retry() {
    if (await act("POST", `${API}/${id}/retry`)) load();
  }

  function grow() {
    $("question").style.height = "auto";
    $("question").style.height = `${Math.min($("question").scrollHeight + 2, 200)}px`;
  }

  $("form").addEventListener("submit", (event) => {
    event.preventDefault();
    if ($("question").value.trim() && !$("send").hidden) ask($("question").value);
  });
  $("question").addEventListener("input", grow);
  $("question").addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    $("form").requestSubmit();
  });
  $("stop").addEventListener("click", () => {
    const found = running();
    $("stop").disabled = true;
    if (found) talk.stop(found[0], `chat:${id}`);
    else load();
  });
  $("delete").addEventListener("click", async () => {
    if (await ask("Delete this conversation?", { label: "Delete" }) && (await act("DELETE", `${API}/${id}`))) location.assign("/chat");
  });
  $("show-side").addEventListener("click", () => {
    const open = $("side").classList.toggle("open");
    $("show-side").setAttribute("aria-expanded", open);
  });
  list.load().catch(tell);
  if (id) follow();
})();
