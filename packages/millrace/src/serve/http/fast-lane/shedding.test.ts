import { once } from "node:events";
import { setImmediate as nextTurn } from "node:timers/promises";
import { expect, test } from "vitest";
import { LoopLoad } from "../../../core/overload/loop-load.ts";
import { TestClock } from "../../../core/test-clock.ts";
import type { FastLaneOptions } from "./fast-lane-options.ts";
import { echo, front, post, turns, type Client } from "./test-front.ts";

/** Turns that a test ends by hand. */
class TurnClock extends TestClock {
  #ends: (() => void)[] = [];

  override soon(run: () => void): void {
    this.#ends.push(run);
  }

  endTurn(): void {
    const ends = this.#ends;
    this.#ends = [];
    for (const end of ends) end();
  }
}

const BUSY = { status: 503, headers: [["retry-after", "1"]], body: "busy" } as const;

/** A server that answers two requests a turn, and refuses one. */
async function setUp(options: Partial<FastLaneOptions> = {}) {
  const clock = new TurnClock();
  const load = new LoopLoad({ objectiveMs: 100, refusalShareMax: 0.1 });
  load.record(1_000, 0, 15_000);
  load.endTurn(0, 0);
  expect(load.allowance).toBe(2);
  const seen: string[] = [];
  const server = await front(
    async (exchange) => {
      seen.push(Buffer.from(exchange.body).toString());
      return echo(exchange);
    },
    { load, shed: () => BUSY, ...options },
    clock,
  );
  /** One connection per body; they are read in this order. */
  const send = async (...bodies: string[]): Promise<Client[]> => {
    const clients: Client[] = [];
    for (const body of bodies) {
      const client = await server.connect();
      await client.write(post(body));
      await turns(5);
      clients.push(client);
    }
    return clients;
  };
  return { ...server, clock, seen, send };
}

test("a turn answers what it has time for, and nothing is held", async () => {
  const { clock, seen, send } = await setUp();
  for (const names of [
    ["a", "b"],
    ["c", "d"],
  ]) {
    const clients = await send(...names);
    expect((await clients[0]?.reply())?.body).toBe(names[0]);
    clock.endTurn(); // a reply that has company leaves with it
    expect((await clients[1]?.reply())?.body).toBe(names[1]);
  }
  expect(seen).toEqual(["a", "b", "c", "d"]);
});

test("what is beyond it is held, and refused oldest first", async () => {
  const { clock, seen, send } = await setUp();
  const [, , c, d, e] = await send("a", "b", "c", "d", "e");
  const refused: string[] = [];
  for (const [name, client] of Object.entries({ c, d, e })) {
    void client?.reply().then(({ body }) => refused.push(name + body));
  }
  await turns();
  expect([seen, refused]).toEqual([["a", "b"], []]);
  clock.endTurn();
  await turns();
  expect(refused).toEqual(["cbusy"]);
  clock.endTurn();
  await turns();
  expect(refused).toEqual(["cbusy", "dbusy", "ebusy"]);
  expect(seen).toEqual(["a", "b"]);
});

test("a connection whose request was refused goes on", async () => {
  const { clock, send } = await setUp();
  const client = (await send("a", "b", "c"))[2] as Client;
  clock.endTurn();
  expect((await client.reply()).status).toBe(503);
  clock.endTurn();
  await client.write(post("again"));
  expect((await client.reply()).body).toBe("again");
});

test("pipelined requests keep their order, and the body of a refused one is skipped", async () => {
  const { clock, seen, connect } = await setUp();
  const client = await connect();
  const bodies = ["a", "b", post("hidden"), "d", "e"];
  await client.write(bodies.map((body) => post(body)).join(""));
  const replies: string[] = [];
  const read = (async () => {
    for (const _ of bodies) replies.push((await client.reply()).body);
  })();
  await turns();
  expect(replies).toEqual(["a", "b"]);
  while (replies.length < bodies.length) {
    clock.endTurn();
    await turns(5);
  }
  await read;
  expect(replies[2]).toBe("busy");
  expect(replies.filter((body) => body !== "busy")).toEqual(seen);
  expect(seen).not.toContain(post("hidden"));
});

test("a held request may come in parts, which wait in the socket", async () => {
  const { clock, connect, send, seen } = await setUp();
  await send("a", "b");
  const client = await connect();
  const request = post("x".repeat(500_000));
  await client.write(request.slice(0, 20));
  await turns();
  const rest = client.write(request.slice(20) + post("next"));
  await turns();
  clock.endTurn(); // the first part holds no whole head, so what follows begins in the next turn
  await rest;
  const replies: string[] = [];
  while (replies.length < 2) {
    const reply = client.reply().then(({ body }) => void replies.push(body));
    await turns();
    clock.endTurn();
    await reply;
  }
  expect(replies[0]).toMatch(/^(?:busy|x{500000})$/);
  expect(replies[1]).toMatch(/^(?:busy|next)$/);
  expect(["a", "b", ...replies].filter((body) => body !== "busy")).toEqual(seen);
});

test("a connection that closes while it is held is forgotten", async () => {
  const { clock, send } = await setUp();
  const [, , c, d] = await send("a", "b", "c", "d");
  const closed = once(c?.socket as Client["socket"], "close");
  c?.socket.destroy();
  await closed;
  await turns();
  clock.endTurn(); // has room for one
  expect((await d?.reply())?.body).toBe("busy");
});

test("a request whose service answers overloads in another way is served after all", async () => {
  const { clock, send } = await setUp({ shed: () => undefined });
  const clients = await send("a", "b", "c");
  clock.endTurn();
  expect((await clients[2]?.reply())?.body).toBe("c");
});

test("what is held is answered while the process drains, and then the connection is closed", async () => {
  let isDraining = false;
  const { clock, send, server } = await setUp({ isDraining: () => isDraining });
  const client = (await send("a", "b", "c"))[2] as Client;
  isDraining = true;
  server.close();
  clock.endTurn();
  expect((await client.reply()).body).toBe("busy");
  await client.closed();
  await nextTurn();
});
