// Node's socket.io: `node node.js PORT`.
const { createServer } = require("node:http");
const { Server } = require("socket.io");

const NEWS = "n".repeat(64);

const web = createServer((request, response) => {
  const body = JSON.stringify({ status: "ok", items: [1, 2, 3] });
  response.writeHead(200, { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(body) });
  response.end(body);
});
const io = new Server(web);

io.on("connection", (socket) => {
  socket.on("echo", (data) => socket.emit("echo", data));
  socket.on("fanout", (count) => {
    for (let i = 0; i < count; i++) io.emit("news", NEWS);
  });
});

web.listen(Number(process.argv[2]), "127.0.0.1", 4096);
