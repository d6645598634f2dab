// One socket for the page: its state in the header, jobs to follow, and an API helper with readable errors.
"use strict";

window.Live = (() => {
  const RETRY_MS = 2000;
  // WebSocket first, polling where the network refuses it: works with whichever of the two the server offers.
  const socket = io({ transports: ["websocket", "polling"], tryAllTransports: true, reconnectionDelayMax: 3000 });
  const rooms = new Rooms(socket);
  // Errors from a proxy in front of the service do not have our JSON body.
  const REFUSALS = {
    413: "The request is larger than this service accepts.",
    429: "Too many requests: wait a moment and try again.",
    502: "The service is unavailable right now: try again shortly.",
    503: "The service cannot answer right now: try again shortly.",
    504: "The service took too long to answer: try again shortly.",
  };
  const words = { live: "Live", connecting: "Connecting", offline: "Offline, reconnecting", out: "Signed out" };

  function show(state) {
    const element = document.getElementById("connection");
    if (!element || element.dataset.state === state && element.textContent === words[state]) return;
    element.dataset.state = state;
    element.textContent = words[state];
  }

  // A client whose identity the server refuses is refused again when it retries: only signing in helps.
  function showSignedOut() {
    show("out");
    const element = document.getElementById("connection");
    if (!element?.dataset.signIn || element.querySelector("a")) return;
    const link = Object.assign(document.createElement("a"), { href: element.dataset.signIn, textContent: "Sign in" });
    element.append(link);
  }

  function parsed(text) {
    try {
      return JSON.parse(text);
    } catch {
      return null;
    }
  }

  socket.on("connect", () => show("live"));
  for (const trouble of ["disconnect", "connect_error"]) {
    socket.on(trouble, (reason) => {
      if (["unauthorized", "sign_in_unfinished"].includes(reason?.data?.code)) return showSignedOut();
      show("offline");
      // After a refusal, or when the server closed the connection on purpose, the client stops trying: connect again.
      if (!socket.active) setTimeout(() => socket.connect(), RETRY_MS * (0.5 + Math.random()));
    });
  }
  return {
    /** Your own rooms: `Live.rooms.follow(name, { event, message, on, joined, resync })`, see rooms.js. */
    rooms,
    /**
     * Follow a job: onJob(job) is called for each change; `on` holds functions by name for the job's other events;
     * resync() is called when the state must be fetched: after the first join, and when missed events are lost.
     */
    subscribe(jobId, { onJob = () => {}, on = {}, resync }) {
      const joined = (answer) => onJob(answer.job);
      rooms.follow(`job:${jobId}`, {
        event: "job:subscribe", message: { id: jobId }, on: { ...on, "job:update": onJob }, joined, resync,
      });
    },
    unsubscribe(jobId) {
      if (rooms.forget(`job:${jobId}`) && socket.connected) socket.emit("job:unsubscribe", { id: jobId });
    },
    /** Call the HTTP API; return null for an answer without a body. Throw an Error whose message people can read. */
    async api(path, options = {}) {
      let answer;
      try {
        const token = document.querySelector("meta[name=csrf-token]")?.content;
        const headers = { Accept: "application/json", ...(token && { "X-CSRF-Token": token }), ...options.headers };
        answer = await fetch(path, { ...options, headers });
      } catch {
        throw new Error("The server cannot be reached. Check your connection and try again.");
      }
      const text = await answer.text().catch(() => null);
      if (answer.ok && text === "") return null;
      const body = parsed(text);
      if (answer.ok && body !== null) return body;
      throw new Error(body?.error?.message ?? REFUSALS[answer.status] ?? `The server's response (${answer.status}) could not be read.`);
    },
  };
})();
