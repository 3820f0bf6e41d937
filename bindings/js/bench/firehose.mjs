// A server on 127.0.0.1 that sends the answer as fast as the socket takes it, so that it is never the limit: made once,
// and written as one piece. It prints its URL, and ends with its standard input.

import { createHash } from "node:crypto";
import { createServer } from "node:http";
import { chunks, end, opener } from "./answer.mjs";

function frame(text) {
  const body = Buffer.from(text);
  return Buffer.concat([Buffer.from([0x81, ...(body.length < 126 ? [body.length] : [126, body.length >> 8, body.length & 255])]), body]);
}

const answer = Buffer.concat([opener, ...chunks, end].map(frame));

const server = createServer();
server.on("upgrade", (request, socket) => {
  const key = createHash("sha1").update(`${request.headers["sec-websocket-key"]}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
  socket.write(`HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${key}\r\n\r\n`);
  socket.on("error", () => {});
  let input = Buffer.alloc(0);
  socket.on("data", (data) => {
    input = Buffer.concat([input, data]);
    // Short masked frames are all that a client sends here.
    while (input.length >= 6) {
      const length = input[1] & 127;
      if (length >= 126 || input.length < 6 + length) return;
      const body = input.subarray(6, 6 + length).map((byte, at) => byte ^ input[2 + (at % 4)]);
      if ((input[0] & 15) === 8) return socket.end();
      input = input.subarray(6 + length);
      if (Buffer.from(body).toString().includes('"chat"')) socket.write(answer);
    }
  });
});
server.listen(0, "127.0.0.1", () => console.log(`ws://127.0.0.1:${server.address().port}`));
process.stdin.resume().on("end", () => process.exit());
