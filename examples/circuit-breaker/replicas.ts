// Two servers of one model, the sum of a row: the first is well, the second answers every request with an error.
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { json } from "node:stream/consumers";

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { data } = (await json(request)) as { readonly data: readonly (readonly number[])[] };
  const sums = data.map((row) => row.reduce((sum, value) => sum + value, 0));
  response.writeHead(200, { "content-type": "application/json" });
  response.end(JSON.stringify({ sum: sums }));
}

function fail(_request: IncomingMessage, response: ServerResponse): void {
  response.writeHead(500).end();
}

const ports = {
  well: Number(process.env["REPLICA_PORT"] ?? 9001),
  bad: Number(process.env["BAD_REPLICA_PORT"] ?? 9002),
};
createServer((request, response) => {
  answer(request, response).catch(() => fail(request, response));
}).listen(ports.well, "127.0.0.1", () => {
  createServer(fail).listen(ports.bad, "127.0.0.1", () => console.log("two replicas, one is bad"));
});
