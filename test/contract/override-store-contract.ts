import { describe, expect, it } from "vitest";
import {
  HISTORY_BYTES_MAX,
  HISTORY_EVENTS_MAX,
  type OverrideChange,
  type OverrideState,
  type OverrideStore,
} from "../../packages/millrace/src/ports/override-store.ts";

export interface OverrideStoreContract {
  readonly name: string;
  /** An empty store; it is closed by the test. */
  readonly create: () => Promise<OverrideStore>;
  /** Another store with the same content, as a second process opens it; undefined where there is no such thing. */
  readonly reopen: ((store: OverrideStore) => Promise<OverrideStore>) | undefined;
}

const QUEUE = "services.iris.limits.queue";
const TIMEOUT = "services.iris.timeout";

function setting(path: string, value: number | string, facts: Partial<OverrideChange> = {}) {
  const steps = [{ path, action: "set", old: 1000, value }] as const;
  const change = { atMs: 1000, by: "ann", reason: "test", expiresAtMs: undefined, steps };
  return { ...change, ...facts };
}

/** What every implementation of `OverrideStore` does. */
export function describeOverrideStoreContract({
  name,
  create,
  reopen,
}: OverrideStoreContract): void {
  describe(`${name} as an override store`, () => {
    it("read() gives version 0 and nothing before the first change", async () => {
      const store = await create();
      expect(await store.read()).toEqual({ version: 0, overrides: [] });
      await store.close();
    });

    it("commit() makes each change the next version and keeps what it says", async () => {
      const store = await create();
      const first = await store.commit(setting(QUEUE, 5, { expiresAtMs: 9000 }), 0);
      const second = await store.commit(setting(TIMEOUT, "1s"), 1);
      const queue = {
        path: QUEUE,
        value: 5,
        version: 1,
        by: "ann",
        reason: "test",
        setAtMs: 1000,
        expiresAtMs: 9000,
      };
      expect(first).toEqual({ version: 1, overrides: [queue] });
      const timeout = { ...queue, path: TIMEOUT, value: "1s", version: 2, expiresAtMs: undefined };
      expect(second).toEqual({ version: 2, overrides: [queue, timeout] });
      expect(await store.read()).toEqual(second);
      await store.close();
    });

    it.each(["unset", "expired", "replaced"] as const)(
      "commit() takes an override away when it is %s",
      async (action) => {
        const store = await create();
        await store.commit(setting(QUEUE, 5), 0);
        const steps = [{ path: QUEUE, action, old: 5, value: undefined }];
        const state = await store.commit(setting(QUEUE, 5, { steps }), 1);
        expect(state).toEqual({ version: 2, overrides: [] });
        const [event] = await store.history({ path: undefined, limit: 1 });
        expect(event).toMatchObject({ version: 2, path: QUEUE, action, old: 5, value: undefined });
        await store.close();
      },
    );

    it.each([[false], [0], [""], [null], [{ virginica: false }], [["a", 1.5]]])(
      "keeps the value %j as it is",
      async (value) => {
        const store = await create();
        const steps = [{ path: QUEUE, action: "set", old: value, value } as const];
        const state = await store.commit(setting(QUEUE, 0, { steps }), 0);
        expect(state?.overrides[0]?.value).toEqual(value);
        const [event] = await store.history({ path: undefined, limit: 1 });
        expect([event?.old, event?.value]).toEqual([value, value]);
        await store.close();
      },
    );

    it("commit() changes nothing when the version is another one by now", async () => {
      const store = await create();
      const state = await store.commit(setting(QUEUE, 5), 0);
      expect(await store.commit(setting(QUEUE, 6), 0)).toBeUndefined();
      expect(await store.commit(setting(QUEUE, 6), 2)).toBeUndefined();
      expect(await store.read()).toEqual(state);
      expect(await store.history({ path: undefined, limit: 10 })).toHaveLength(1);
      await store.close();
    });

    it("commit() gives each version to one of many writers at once", async () => {
      const store = await create();
      const other = reopen === undefined ? store : await reopen(store);
      const write = async (by: string, to: OverrideStore): Promise<OverrideState | undefined> =>
        to.commit(setting(QUEUE, 1, { by }), 0);
      const states = await Promise.all(
        ["a", "b", "c", "d"].map((by, i) => write(by, i % 2 === 0 ? store : other)),
      );
      expect(states.filter((state) => state !== undefined)).toHaveLength(1);
      expect((await other.read()).version).toBe(1);
      expect(await store.history({ path: undefined, limit: 10 })).toHaveLength(1);
      await store.close();
      if (other !== store) await other.close();
    });

    it("commit() takes every step of a change under one version", async () => {
      const store = await create();
      const steps = [
        { path: QUEUE, action: "set", old: 1000, value: 5 },
        { path: TIMEOUT, action: "set", old: "2s", value: "1s" },
      ] as const;
      const state = await store.commit(setting(QUEUE, 5, { steps }), 0);
      expect(state?.overrides.map(({ path, version }) => [path, version])).toEqual([
        [QUEUE, 1],
        [TIMEOUT, 1],
      ]);
      await store.close();
    });

    it("history() gives the newest first, of one path when asked", async () => {
      const store = await create();
      await store.commit(setting(QUEUE, 5), 0);
      await store.commit(setting(TIMEOUT, "1s"), 1);
      await store.commit(setting(QUEUE, 6), 2);
      const versions = async (path: string | undefined, limit: number): Promise<number[]> =>
        (await store.history({ path, limit })).map(({ version }) => version);
      expect(await versions(undefined, 10)).toEqual([3, 2, 1]);
      expect(await versions(undefined, 2)).toEqual([3, 2]);
      expect(await versions(QUEUE, 10)).toEqual([3, 1]);
      await store.close();
    });

    it("forgets the oldest events beyond its bound, and never a version", async () => {
      const store = await create();
      const half = HISTORY_EVENTS_MAX / 2;
      const many = Array.from({ length: half + 1 }, (_, i) => `services.s${i}.timeout`);
      for (const version of [0, 1]) {
        const steps = many.map(
          (path) => ({ path, action: "unset", old: 1, value: undefined }) as const,
        );
        await store.commit(setting(QUEUE, 1, { steps }), version);
      }
      const events = await store.history({ path: undefined, limit: HISTORY_EVENTS_MAX + 10 });
      expect(events).toHaveLength(HISTORY_EVENTS_MAX);
      expect(events.at(-1)).toMatchObject({ version: 1, path: many[2] });
      expect((await store.read()).version).toBe(2);
      await store.close();
    });

    it("forgets the oldest events beyond its bytes, and no override", async () => {
      const store = await create();
      const value = "ü".repeat(512 * 1024); // a MiB
      const count = HISTORY_BYTES_MAX / 2 ** 20 + 4;
      for (let version = 0; version < count; version++) {
        const steps = [{ path: `s.s${version}`, action: "set", old: undefined, value } as const];
        await store.commit(setting(QUEUE, 1, { steps }), version);
      }
      const events = await store.history({ path: undefined, limit: 1000 });
      expect(events.map(({ version }) => version)).toEqual(
        Array.from({ length: HISTORY_BYTES_MAX / 2 ** 20 - 1 }, (_, i) => count - i),
      );
      expect((await store.read()).overrides).toHaveLength(count);
      await store.close();
    });

    it.skipIf(reopen === undefined)("keeps everything when it is opened again", async () => {
      const store = await create();
      const state = await store.commit(setting(QUEUE, 5), 0);
      const again = await reopen?.(store);
      expect(await again?.read()).toEqual(state);
      expect(await again?.history({ path: QUEUE, limit: 5 })).toHaveLength(1);
      await store.close();
      await again?.close();
    });
  });
}
