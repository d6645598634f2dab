// Who is in which room, fetched now and then, since it is asked of all processes.
"use strict";

(() => {
  const PRESENCE_MS = 10_000;
  const place = document.getElementById("presence");

  async function presence() {
    let rooms;
    try {
      ({ rooms } = await Console.get("presence"));
    } catch (error) {
      return Words.put(place, error.message);
    }
    const list = Object.assign(document.createElement("ul"), { className: "rooms" });
    list.append(...rooms.map(({ name, members }) => {
      const element = document.createElement("li");
      element.append(Object.assign(document.createElement("strong"), { textContent: name }), ` · ${members.join(", ")}`);
      return element;
    }));
    const nobody = Object.assign(document.createElement("p"), { className: "quiet", textContent: "No members in rooms with presence." });
    place.replaceChildren(rooms.length ? list : nobody);
  }

  setInterval(() => { if (!document.hidden && Live.rooms.socket.connected) presence(); }, PRESENCE_MS);
  presence();
})();
