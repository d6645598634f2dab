// Only in `make dev`: loads the page again after a change of the code, and shows the error of a change that is wrong.
"use strict";

(() => {
  const LOOK_MS = 500;
  const { version: mine, io: library } = document.currentScript.dataset;
  const box = Object.assign(document.createElement("pre"), { id: "dev-error", className: "dev-error", hidden: true });
  document.body.append(box);

  function show({ version, error }) {
    if (version === undefined) return;  // the event was refused
    if (!error && String(version) !== mine) return location.reload();
    box.textContent = error;
    box.hidden = !error;
  }

  function look() {
    const socket = window.Live?.rooms.socket ?? io({ transports: ["websocket", "polling"], tryAllTransports: true });
    setInterval(() => socket.connected && socket.emit("dev:state", show), LOOK_MS);
  }

  if (window.io) look();
  else document.head.append(Object.assign(document.createElement("script"), { src: library, onload: look }));
})();
