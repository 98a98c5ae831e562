// A model on another server that has its answer at once: all that is measured is the way there and back.
// Prints its port, and ends with its parent.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

const ANSWER = Buffer.from('{"prediction":[[0.1,0.2,0.3,0.4]]}');

const server = createServer((request, response) => {
  request.resume().once("end", () => {
    response.writeHead(200, {
      "content-type": "application/json",
      "content-length": ANSWER.length,
    });
    response.end(ANSWER);
  });
});
server.listen(0, "127.0.0.1", () => {
  process.stdout.write(`${(server.address() as AddressInfo).port}\n`);
});
process.stdin.resume().once("end", () => process.exit());
