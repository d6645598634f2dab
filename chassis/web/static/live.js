// One socket for the page: its state in the header, jobs to follow, and an API helper with readable errors.
"use strict";

window.Live = (() => {
  // A third of this to this passes before each attempt, at random, so that clients do not all come back at once. A
  // stopping server asks for a longer time if it has many clients.
  const MOST_MS = 1000;
  const OUTAGE_ATTEMPTS = 60; // after which the server is asked less often
  const OUTAGE_MS = 5000;
  const FETCH_MS = 5000; // without a socket
  // WebSocket first, polling where the network refuses it: works with whichever of the two the server offers.
  const missing = typeof io !== "function"; // its script was blocked, or did not arrive
  const socket = missing ? silent() : io({
    transports: ["websocket", "polling"], tryAllTransports: true, randomizationFactor: 0.5,
    reconnectionDelay: MOST_MS * 2 / 3, reconnectionDelayMax: MOST_MS,
  });
  socket.io.backoff.factor = 1; // no growth, which would end at the limit for many at the same moment
  const rooms = new Rooms(socket);
  // Errors from a proxy in front of the service do not have our JSON body.
  const REFUSALS = {
    413: "The request is larger than this service accepts.",
    429: "Too many requests: wait a moment and try again.",
    502: "The service is unavailable right now: try again shortly.",
    503: "The service cannot answer right now: try again shortly.",
    504: "The service took too long to answer: try again shortly.",
  };
  const words = {
    live: "Live", connecting: "Connecting", offline: "Offline, reconnecting", out: "Signed out",
    missing: "No live updates: a script could not be loaded. Reload the page.",
  };

  /** Return a socket that never connects. */
  function silent() {
    const deaf = { on() {}, emit() {}, prependAny() {}, connected: false, connect: () => deaf, disconnect: () => deaf };
    return { ...deaf, io: { on() {}, backoff: {}, reconnectionDelay() {}, reconnectionDelayMax() {} } };
  }

  function pace(most) {
    socket.io.reconnectionDelay(most * 2 / 3);
    socket.io.reconnectionDelayMax(most);
  }

  // The maintenance mode may begin and end while a page is open, or while it is offline.
  // What a page was rendered with may have ended before it connects.
  let told = document.getElementById("maintenance-banner")?.hidden ?? true;
  function maintenance(reason) {
    told = true;
    const banner = document.getElementById("maintenance-banner");
    if (!banner) return;
    banner.hidden = !reason;
    banner.querySelector("span").textContent = reason ?? "";
  }

  function show(state) {
    document.documentElement.dataset.connection = state;
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

  socket.on("connect", () => {
    show("live");
    pace(MOST_MS);
    if (!told) maintenance(null); // the server says at once that the mode is on, and nothing if it is off
  });
  socket.on("service:maintenance", ({ reason }) => maintenance(reason));
  socket.on("server:draining", ({ retry_seconds: seconds = 0 }) => pace(Math.max(MOST_MS, seconds * 1000)));
  socket.io.on("reconnect_attempt", (attempt) => { if (attempt === OUTAGE_ATTEMPTS) pace(OUTAGE_MS); });
  addEventListener("online", () => { if (!socket.connected) socket.disconnect().connect(); });
  for (const trouble of ["disconnect", "connect_error"]) {
    socket.on(trouble, (reason) => {
      if (["unauthorized", "sign_in_unfinished"].includes(reason?.data?.code)) return showSignedOut();
      show("offline");
      told = false;
      // After a refusal, or when the server closed the connection on purpose, the client stops trying: connect again.
      if (!socket.active) setTimeout(() => socket.connect(), MOST_MS * (0.5 + Math.random()));
    });
  }
  if (missing) show("missing");
  return {
    /** Your own rooms: `Live.rooms.follow(name, { event, message, on, joined, resync })`, see rooms.js. */
    rooms,
    /** Streamed answers of your own rooms: `Live.answers({ show, ended })`, see streams.js. */
    answers: (options) => new Answers(socket, options),
    /**
     * Follow a job: onJob(job) is called for each change; `on` holds functions by name for the job's other events;
     * resync() is called when the state must be fetched: after the first join, and when missed events are lost.
     */
    subscribe(jobId, { onJob = () => {}, on = {}, resync }) {
      const joined = (answer) => onJob(answer.job);
      if (missing && resync) setInterval(resync, FETCH_MS);
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
