// A server whose times are known: 20 ms, and 60 ms for one request in forty. Prints its port; ends with its input.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

const USUAL_MS = 20;
const SLOW_MS = 60;
const SLOW_EVERY = 40;

let count = 0;
const server = createServer((request, response) => {
  request.resume();
  const isSlow = ++count % SLOW_EVERY === 0;
  setTimeout(() => response.end("{}"), isSlow ? SLOW_MS : USUAL_MS);
});
server.listen(0, "127.0.0.1", () => {
  process.stdout.write(`${(server.address() as AddressInfo).port}\n`);
});
process.stdin.resume().once("end", () => process.exit(0));
