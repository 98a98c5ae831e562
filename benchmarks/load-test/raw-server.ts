// Answers every request of a keep-alive connection with the same few bytes, as fast as Node can, and prints its port.
// It takes what comes at once for one request: whoever sends must not pipeline, and must send little.
import { createServer, type AddressInfo } from "node:net";

const ANSWER =
  "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 16\r\n\r\n" +
  '{"answer":[0.5]}';
const bytes = Buffer.from(ANSWER);

const server = createServer({ noDelay: true }, (socket) => {
  socket.on("data", () => void socket.write(bytes));
  socket.on("error", () => undefined);
});
server.listen(0, "127.0.0.1", () => {
  process.stdout.write(`${(server.address() as AddressInfo).port}\n`);
});
process.stdin.resume().once("end", () => process.exit(0));
