import { describe, expect, it } from "vitest";
import type { Http1Connection } from "./http1-connection.ts";
import { WaitingConnections } from "./waiting-connections.ts";

/** Only its links matter here. */
function connection(): Http1Connection {
  return { earlier: undefined, later: undefined } as unknown as Http1Connection;
}

describe("WaitingConnections", () => {
  it("first is the one that has waited longest, in whatever order they leave", () => {
    const [a, b, c, d] = [connection(), connection(), connection(), connection()];
    const waiting = new WaitingConnections();
    for (const one of [a, b, c, d]) waiting.add(one);
    const firsts = [b, d, a].map((gone) => {
      waiting.delete(gone);
      return waiting.first;
    });
    expect(firsts).toEqual([a, a, c]);
    expect(firsts[2]).toBe(c);
    waiting.add(b);
    waiting.delete(c);
    expect([waiting.first === b, waiting.count]).toEqual([true, 1]);
    waiting.delete(b);
    expect([waiting.first, waiting.count]).toEqual([undefined, 0]);
    waiting.add(a);
    expect(waiting.first).toBe(a);
  });
});
