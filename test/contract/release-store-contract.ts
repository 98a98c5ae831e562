import { describe, expect, it } from "vitest";
import type { ReleaseEvent } from "../../packages/millrace/src/core/release/release-report.ts";
import {
  RELEASE_EVENTS_MAX,
  type ReleaseStore,
} from "../../packages/millrace/src/ports/release-store.ts";

export interface ReleaseStoreContract {
  readonly name: string;
  /** An empty store; it is closed by the test. */
  readonly create: () => Promise<ReleaseStore>;
  /** Another store with the same content, as a second process opens it; undefined where there is no such thing. */
  readonly reopen: ((store: ReleaseStore) => Promise<ReleaseStore>) | undefined;
}

const RF = "experiment/iris/rf";
const SHADOW = "shadow/iris/rf";

function eventAt(atMs: number, what = "started"): ReleaseEvent {
  return { atMs, by: "ramp", what, why: "nothing is missing" };
}

/** What every implementation of `ReleaseStore` does. */
export function describeReleaseStoreContract({ name, create, reopen }: ReleaseStoreContract): void {
  describe(`${name} as a release store`, () => {
    it("read() and events() give nothing of what was never written", async () => {
      const store = await create();
      expect(await store.read(RF)).toBeUndefined();
      expect(await store.events(RF, 10)).toEqual([]);
      await store.close();
    });

    it("write() makes each change the next version and keeps its events", async () => {
      const store = await create();
      const first = await store.write({ key: RF, state: { kind: "pending" } }, 0, [eventAt(1)]);
      const state = { kind: "running", step: 1, waitsFor: [], nothing: null };
      const second = await store.write({ key: RF, state }, 1, [eventAt(2, "step 2"), eventAt(3)]);
      expect(first).toEqual({ key: RF, version: 1, state: { kind: "pending" } });
      expect(second).toEqual({ key: RF, version: 2, state });
      expect(await store.read(RF)).toEqual(second);
      expect(await store.events(RF, 10)).toEqual([eventAt(3), eventAt(2, "step 2"), eventAt(1)]);
      expect(await store.events(RF, 1)).toEqual([eventAt(3)]);
      await store.close();
    });

    it("write() keeps releases apart", async () => {
      const store = await create();
      await store.write({ key: RF, state: 1 }, 0, [eventAt(1)]);
      expect(await store.write({ key: SHADOW, state: 2 }, 0, [])).toMatchObject({ version: 1 });
      expect(await store.read(RF)).toMatchObject({ version: 1, state: 1 });
      expect(await store.events(SHADOW, 10)).toEqual([]);
      await store.close();
    });

    it("write() changes nothing, neither state nor events, when the version is another one", async () => {
      const store = await create();
      await store.write({ key: RF, state: "a" }, 0, []);
      const kept = await store.write({ key: RF, state: "b" }, 1, [eventAt(1)]);
      for (const stale of [0, 1, 3]) {
        expect(await store.write({ key: RF, state: "late" }, stale, [eventAt(9)])).toBeUndefined();
      }
      expect(await store.write({ key: SHADOW, state: "late" }, 4, [eventAt(9)])).toBeUndefined();
      expect(await store.read(RF)).toEqual(kept);
      expect(await store.read(SHADOW)).toBeUndefined();
      expect(await store.events(RF, 10)).toEqual([eventAt(1)]);
      await store.close();
    });

    it.each([0, 1])(
      "write() gives version %i to one of many writers at once, with its events alone",
      async (versionBefore) => {
        const store = await create();
        const other = reopen === undefined ? store : await reopen(store);
        if (versionBefore === 1) await store.write({ key: RF, state: "first" }, 0, []);
        const writers = ["a", "b", "c", "d"];
        const written = await Promise.all(
          writers.map((by, index) => {
            const to = index % 2 === 0 ? store : other;
            return to.write({ key: RF, state: by }, versionBefore, [{ ...eventAt(1), by }]);
          }),
        );
        const winners = written.flatMap((release) => release ?? []);
        expect(winners).toHaveLength(1);
        expect(await other.read(RF)).toEqual(winners[0]);
        const events = await store.events(RF, 10);
        expect(events.map(({ by }) => by)).toEqual([winners[0]?.state]);
        await store.close();
        if (other !== store) await other.close();
      },
    );

    it("forgets the oldest events of a release beyond its bound, and none of another", async () => {
      const store = await create();
      await store.write({ key: SHADOW, state: 0 }, 0, [eventAt(0)]);
      const many = (from: number): ReleaseEvent[] =>
        Array.from({ length: RELEASE_EVENTS_MAX - 1 }, (_, index) => eventAt(from + index));
      await store.write({ key: RF, state: 1 }, 0, many(0));
      await store.write({ key: RF, state: 2 }, 1, [eventAt(5_000), eventAt(5_001)]);
      const events = await store.events(RF, 2 * RELEASE_EVENTS_MAX);
      expect(events).toHaveLength(RELEASE_EVENTS_MAX);
      expect([events[0], events.at(-1)]).toEqual([eventAt(5_001), eventAt(1)]);
      expect(await store.events(SHADOW, 10)).toHaveLength(1);
      await store.close();
    });

    it.skipIf(reopen === undefined)("keeps everything when it is opened again", async () => {
      const store = await create();
      const kept = await store.write({ key: RF, state: { kind: "ready" } }, 0, [eventAt(1)]);
      await store.close();
      const again = await reopen?.(store);
      expect(await again?.read(RF)).toEqual(kept);
      expect(await again?.events(RF, 5)).toEqual([eventAt(1)]);
      await again?.close();
    });
  });
}
