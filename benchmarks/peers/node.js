// Node's socket.io: `node node.js PORT`, or `node node.js PORT WORKERS` with its cluster adapter.
const cluster = require("node:cluster");
const { createServer } = require("node:http");
const { createAdapter, setupPrimary } = require("@socket.io/cluster-adapter");
const { Server } = require("socket.io");

const NEWS = "n".repeat(64);
const [port, workers] = process.argv.slice(2).map(Number);

function serve() {
  const web = createServer((request, response) => {
    const found = request.url === "/worker" ? { pid: process.pid } : { status: "ok", items: [1, 2, 3] };
    const body = JSON.stringify(found);
    response.writeHead(200, { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(body) });
    response.end(body);
  });
  const io = new Server(web, cluster.isWorker ? { adapter: createAdapter() } : {});

  io.on("connection", (socket) => {
    socket.on("echo", (data) => socket.emit("echo", data));
    socket.on("fanout", (count) => {
      for (let i = 0; i < count; i++) io.emit("news", NEWS);
    });
  });
  web.listen(port, "127.0.0.1", 4096);
}

if (workers && cluster.isPrimary) {
  setupPrimary();
  for (let i = 0; i < workers; i++) cluster.fork();
} else {
  serve();
}
