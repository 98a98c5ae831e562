import { describe, expect, it } from "vitest";
import { sharePlan, threadsOf } from "./share-plan.ts";
import { testLoadPlan } from "./test-load-plan.ts";

const CLOSED = { kind: "closed", clients: 5, thinkMs: 0 } as const;

describe("threadsOf()", () => {
  it.each([
    [{ threads: 4 }, 4],
    [{ threads: 4, connectionsMax: 2 }, 2],
    [{ threads: 8, arrivals: CLOSED }, 5],
  ])("gives every thread something to do: %j", (overrides, threads) => {
    expect(threadsOf(testLoadPlan("http://h/", overrides))).toBe(threads);
  });
});

describe("sharePlan()", () => {
  it("divides connections and clients, without losing or adding one", () => {
    const plan = testLoadPlan("http://h/", {
      connectionsAtStart: 2,
      connectionsMax: 10,
      arrivals: CLOSED,
    });
    const parts = [0, 1, 2].map((thread) => sharePlan(plan, thread, 3));
    expect(parts.map((part) => part.connectionsAtStart)).toEqual([1, 1, 0]);
    expect(parts.map((part) => part.connectionsMax)).toEqual([4, 3, 3]);
    expect(parts.map(({ arrivals }) => arrivals)).toEqual(
      [2, 2, 1].map((clients) => ({ ...CLOSED, clients })),
    );
  });
});
