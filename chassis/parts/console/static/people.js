// Who is online: people and keys with open sockets, and the members of rooms; fetched often, since all processes are asked.
"use strict";

(() => {
  const FETCH_MS = 5000;
  const place = document.getElementById("presence");

  function entry(name, text) {
    const element = document.createElement("li");
    element.append(Object.assign(document.createElement("strong"), { dir: "auto", textContent: name }), ` · ${text}`);
    return element;
  }

  function shown({ kind, id, name, sockets }) {
    const open = `${Words.count(sockets)} open ${sockets === 1 ? "socket" : "sockets"}`;
    return kind === "key" ? entry(id.startsWith("env-") ? name : `ak_${id} ${name}`, `key, ${open}`) : entry(name, open);
  }

  async function load() {
    let answer;
    try {
      answer = await Console.get("presence");
    } catch (error) {
      return Words.put(place, error.message);
    }
    const list = Object.assign(document.createElement("ul"), { className: "rooms" });
    list.append(...answer.online.map(shown), ...answer.rooms.map(({ name, members }) => entry(`In ${name}`, members.join(", "))));
    const nobody = Object.assign(document.createElement("p"), { className: "quiet", textContent: "No person or key has an open socket." });
    place.replaceChildren(list.children.length ? list : nobody);
  }

  setInterval(() => { if (!document.hidden && Live.rooms.socket.connected) load(); }, FETCH_MS);
  Console.add({ begin: load });
  load();
})();
