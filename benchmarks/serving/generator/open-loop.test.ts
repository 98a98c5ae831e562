import { once } from "node:events";
import { createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import type { LoadPlan, LoadResult } from "./load-plan.ts";
import { OpenLoop } from "./open-loop.ts";

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

const OK = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";
const REFUSED = "HTTP/1.1 503 Busy\r\ncontent-length: 0\r\n\r\n";

/** Runs a load of 200 requests a second for half a second against a server that does `onRequest`. */
async function load(
  onRequest: (socket: Socket, count: number) => void,
  rules: Partial<LoadPlan>,
): Promise<LoadResult> {
  let count = 0;
  const server = createServer((socket) => {
    socket.on("error", () => undefined);
    socket.on("data", () => onRequest(socket, count++));
  });
  servers.push(server);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const plan: LoadPlan = {
    port: (server.address() as AddressInfo).port,
    requestFile: "",
    requestsPerSecond: 200,
    warmupMs: 0,
    durationMs: 500,
    connectionsAtStart: 0,
    connectionsMax: 4,
    waitMsMax: Infinity,
    answerMsMax: Infinity,
    inTimeMs: 10_000,
    ...rules,
  };
  return new OpenLoop(plan, Buffer.from("POST / HTTP/1.1\r\ncontent-length: 0\r\n\r\n")).run();
}

describe("OpenLoop", () => {
  it("counts every request that is due exactly once, as what became of it", async () => {
    const result = await load((socket, count) => socket.write(count % 2 === 0 ? OK : REFUSED), {});
    expect(result).toMatchObject({ due: 100, ok: 50, refused: 50, failed: 0, missed: 0 });
    expect(result).toMatchObject({ unanswered: 0, abandoned: 0, okInTime: 50 });
    expect(result.statuses).toEqual({ 200: 50, 503: 50 });
  });

  it("reads an answer that comes in pieces", async () => {
    const result = await load((socket) => {
      socket.write(OK.slice(0, 20));
      setImmediate(() => socket.write(OK.slice(20)));
    }, {});
    expect(result).toMatchObject({ due: 100, ok: 100 });
  });

  it("gives up what waits too long for a connection, and opens no more than it may", async () => {
    const result = await load(() => undefined, { waitMsMax: 10, connectionsMax: 3 });
    expect(result).toMatchObject({ due: 100, ok: 0, unanswered: 3, missed: 97 });
    expect(result.connectionsPeak).toBe(3);
  });

  it("resets and reconnects when an answer takes too long", async () => {
    const result = await load((socket, count) => count >= 4 && socket.write(OK), {
      answerMsMax: 50,
    });
    // Four are never answered; on a machine that is busy others may take too long as well.
    expect(result.abandoned).toBeGreaterThanOrEqual(4);
    expect(result.abandoned).toBeLessThan(50);
    expect(result.ok).toBe(100 - result.abandoned);
  });

  it("counts a request whose connection breaks as failed", async () => {
    const result = await load(
      (socket, count) => (count === 0 ? socket.destroy() : socket.write(OK)),
      {},
    );
    expect(result).toMatchObject({ due: 100, failed: 1, ok: 99 });
  });
});
