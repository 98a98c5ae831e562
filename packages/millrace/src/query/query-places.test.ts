import { describe, expect, it } from "vitest";
import { QueryPlaces } from "./query-places.ts";

/** As many as may run, and as many as may wait behind them. */
async function filled(places: QueryPlaces) {
  const running = [await places.take(undefined), await places.take(undefined)];
  const order: number[] = [];
  const waiting = Array.from({ length: 8 }, (_, index) =>
    places.take(undefined).then((giveBack) => {
      order.push(index);
      return giveBack;
    }),
  );
  return { running, waiting, order };
}

describe("QueryPlaces", () => {
  it("take() lets two in, makes eight wait in their order, and refuses one more by name", async () => {
    const places = new QueryPlaces();
    const { running, waiting, order } = await filled(places);
    await expect(places.take(undefined)).rejects.toMatchObject({
      code: "OVERLOADED",
      reason: "queries",
      retryAfterSeconds: 1,
    });
    expect(order).toEqual([]);
    for (const giveBack of running) giveBack();
    const next = await Promise.all(waiting.slice(0, 2));
    expect(order).toEqual([0, 1]);
    for (const giveBack of next) giveBack();
    for (const place of waiting.slice(2)) (await place)();
    expect(order).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect(places.isEmpty).toBe(true);
  });

  it("take() ends a wait with the reason of its signal, and the place goes to the next", async () => {
    const places = new QueryPlaces();
    const giveBack = await places.take(undefined);
    await places.take(undefined);
    const controller = new AbortController();
    const first = places.take(controller.signal);
    const second = places.take(undefined);
    const reason = new Error("gone");
    controller.abort(reason);
    await expect(first).rejects.toBe(reason);
    giveBack();
    expect(await second).toBeTypeOf("function");
    await expect(places.take(controller.signal)).rejects.toBe(reason);
  });
});
