import { describe, expect, it } from "vitest";
import { MemoryOverrideStore } from "../adapters/override-store-memory/override-store-memory.ts";
import { MillraceError } from "../core/errors.ts";
import type { JsonValue } from "../core/json.ts";
import { TestClock } from "../core/test-clock.ts";
import type { OverrideState, OverrideStore } from "../ports/override-store.ts";
import type { ChangeOrder, ServingProcesses } from "./control-messages.ts";
import {
  OverrideChanges,
  OVERRIDES_BYTES_MAX,
  OVERRIDES_MAX,
  type ChangeFacts,
} from "./override-changes.ts";

const QUEUE = "services.iris.limits.queue";
const ACTIVATE = "services.iris.parameters.activate";
const FACTS = { by: "ann", reason: "why", versionBefore: undefined };

/** Processes that take every change but what `refuse` says, and keep it as the supervisor does. */
class TestProcesses implements ServingProcesses {
  changes: OverrideChanges | undefined;
  /** What all of them have. */
  has: OverrideState = { version: 0, overrides: [] };
  refuse: ((order: ChangeOrder) => MillraceError | undefined | void) | undefined;
  /** The next change is made when this is over. */
  wait: Promise<void> | undefined;

  async change(order: ChangeOrder): Promise<void> {
    await this.wait;
    const refusal = this.refuse?.(order);
    if (refusal instanceof MillraceError) throw refusal;
    const previous = Object.fromEntries(order.paths.map((path) => [path, this.#valueOf(path)]));
    await this.changes?.persist({ version: order.overrides.version, previous });
    this.has = order.overrides;
  }

  async adoptKept(): Promise<void> {
    this.has = this.changes?.state ?? this.has;
    await Promise.resolve();
  }

  #valueOf(path: string): JsonValue {
    return this.has.overrides.find((override) => override.path === path)?.value ?? "the file's";
  }

  status(): never {
    throw new Error("nobody asks");
  }

  liveValues(): never {
    throw new Error("nobody asks");
  }

  explain(): never {
    throw new Error("nobody asks");
  }

  logStatus(): never {
    throw new Error("nobody asks");
  }

  forget(): never {
    throw new Error("nobody asks");
  }
}

async function setup(store: OverrideStore = new MemoryOverrideStore(), clock = new TestClock()) {
  const processes = new TestProcesses();
  const errors: string[] = [];
  const silent = (): void => undefined;
  const log = {
    debug: silent,
    info: silent,
    warn: silent,
    error: (_fields: object, message: string) => void errors.push(message),
  };
  const changes = new OverrideChanges({ store, processes, clock, log });
  processes.changes = changes;
  const started = await changes.start();
  processes.has = started;
  const values = (): object =>
    Object.fromEntries(processes.has.overrides.map(({ path, value }) => [path, value]));
  return { changes, processes, clock, store, errors, started, values };
}

type Values = ReadonlyMap<string, JsonValue>;

function set(
  changes: OverrideChanges,
  values: Values,
  facts: ChangeFacts,
  forMs: number | undefined,
): Promise<OverrideState> {
  return changes.change({ set: values, unset: [], forMs }, facts);
}

function unset(
  changes: OverrideChanges,
  paths: readonly string[],
  facts: ChangeFacts,
): Promise<OverrideState> {
  return changes.change({ set: new Map(), unset: paths, forMs: undefined }, facts);
}

function only(path: string, value: JsonValue): ReadonlyMap<string, JsonValue> {
  return new Map([[path, value]]);
}

/** Lets promises that are settled by now go on. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 50; turn++) await Promise.resolve();
}

describe("OverrideChanges", () => {
  it("change() makes one version of all values, and the history says who, why, old and new", async () => {
    const { changes, values } = await setup();
    await set(
      changes,
      new Map<string, JsonValue>([
        [QUEUE, 5],
        [ACTIVATE, false],
      ]),
      FACTS,
      undefined,
    );
    await set(changes, only(QUEUE, 6), { ...FACTS, by: "bob", reason: "more" }, undefined);
    expect(values()).toEqual({ [QUEUE]: 6, [ACTIVATE]: false });
    expect(changes.state.version).toBe(2);
    expect(await changes.history({ path: QUEUE, limit: 5 })).toMatchObject([
      { version: 2, by: "bob", reason: "more", old: 5, value: 6, action: "set" },
      { version: 1, by: "ann", reason: "why", old: "the file's", value: 5, action: "set" },
    ]);
  });

  it("change() changes nothing when a process refuses, and the version is used by the next change", async () => {
    const { changes, processes, values } = await setup();
    processes.refuse = () => new MillraceError("INVALID_OVERRIDE", "Cannot set it");
    await expect(set(changes, only(QUEUE, 5), FACTS, undefined)).rejects.toThrow("Cannot set it");
    expect([changes.state, values()]).toEqual([{ version: 0, overrides: [] }, {}]);
    processes.refuse = undefined;
    expect((await set(changes, only(QUEUE, 6), FACTS, undefined)).version).toBe(1);
  });

  it("change() gives changes at once their turn, each a version of its own", async () => {
    const { changes, values } = await setup();
    const states = await Promise.all(
      [1, 2, 3].map((value) => set(changes, only(QUEUE, value), FACTS, undefined)),
    );
    expect(states.map(({ version }) => version)).toEqual([1, 2, 3]);
    expect(values()).toEqual({ [QUEUE]: 3 });
  });

  it("change() refuses a change for a version that is not the current one", async () => {
    const { changes } = await setup();
    await set(changes, only(QUEUE, 1), { ...FACTS, versionBefore: 0 }, undefined);
    const late = set(changes, only(QUEUE, 2), { ...FACTS, versionBefore: 0 }, undefined);
    await expect(late).rejects.toMatchObject({ code: "OVERRIDE_CONFLICT" });
    expect(changes.state.version).toBe(1);
  });

  it("change() refuses when another process has written to the same store, and what that wrote holds", async () => {
    const { changes, store, values } = await setup();
    const steps = [{ path: QUEUE, action: "set", old: 1, value: 9 } as const];
    await store.commit({ atMs: 0, by: "x", reason: "", expiresAtMs: undefined, steps }, 0);
    const late = set(changes, only(QUEUE, 2), FACTS, undefined);
    await expect(late).rejects.toMatchObject({ code: "OVERRIDE_CONFLICT" });
    expect(values()).toEqual({ [QUEUE]: 9 });
    expect((await set(changes, only(QUEUE, 2), FACTS, undefined)).version).toBe(2);
  });

  it("change() of a whole replaces the overrides of its parts, and the history says so", async () => {
    const { changes, values } = await setup();
    await set(changes, only(`${ACTIVATE}.virginica`, false), FACTS, undefined);
    await set(changes, only(`${ACTIVATE}2`, 1), FACTS, undefined);
    await set(changes, only(ACTIVATE, true), FACTS, undefined);
    expect(values()).toEqual({ [ACTIVATE]: true, [`${ACTIVATE}2`]: 1 });
    const [event] = await changes.history({ path: `${ACTIVATE}.virginica`, limit: 1 });
    expect(event).toMatchObject({ action: "replaced", version: 3, old: false });
  });

  it("change() refuses one override more than may be in force", async () => {
    const { changes } = await setup();
    const many = new Map(
      Array.from({ length: OVERRIDES_MAX }, (_, i) => [`services.s${i}.timeout`, 1]),
    );
    await set(changes, many, FACTS, undefined);
    const more = set(changes, only(QUEUE, 1), FACTS, undefined);
    await expect(more).rejects.toThrow(`there would be 257, at most ${OVERRIDES_MAX}`);
    expect((await set(changes, only("services.s0.timeout", 2), FACTS, undefined)).version).toBe(2);
  });

  it("change() refuses more bytes of values than may be in force", async () => {
    const { changes } = await setup();
    const long = "x".repeat(1024 * 1024 - 100);
    const paths = ["a.a", "a.b", "a.c", "a.d"];
    for (const path of paths) await set(changes, only(path, long), FACTS, undefined);
    const more = set(changes, only("a.e", long), FACTS, undefined);
    await expect(more).rejects.toThrow(
      `at most ${OVERRIDES_BYTES_MAX} may be in force; unset some`,
    );
    expect((await set(changes, only("a.a", "short"), FACTS, undefined)).version).toBe(5);
  });

  it("change() gives a path back, and refuses one that has no override", async () => {
    const { changes, values } = await setup();
    await set(changes, only(QUEUE, 1), FACTS, undefined);
    await unset(changes, [QUEUE], { ...FACTS, reason: "over" });
    expect(values()).toEqual({});
    await expect(unset(changes, [QUEUE], FACTS)).rejects.toMatchObject({
      code: "OVERRIDE_NOT_FOUND",
    });
    const [event] = await changes.history({ path: QUEUE, limit: 1 });
    expect(event).toMatchObject({ action: "unset", reason: "over", old: 1, value: undefined });
  });

  it("change() gives several paths back in one version, or names all that have none", async () => {
    const { changes, values } = await setup();
    await set(
      changes,
      new Map<string, JsonValue>([...only(QUEUE, 1), ...only(ACTIVATE, false)]),
      FACTS,
      undefined,
    );
    const wrong = unset(changes, ["a.b", QUEUE, "c.d"], FACTS);
    await expect(wrong).rejects.toThrow('an override of "a.b", "c.d": there is none');
    const both = {
      set: only("services.iris.timeout", "1s"),
      unset: [QUEUE, ACTIVATE, QUEUE],
      forMs: undefined,
    };
    expect((await changes.change(both, FACTS)).version).toBe(2);
    expect(values()).toEqual({ "services.iris.timeout": "1s" });
    expect(await changes.history({ path: undefined, limit: 9 })).toHaveLength(5);
  });

  it("makes no version of an expiry that a change before it has made needless", async () => {
    const { changes, processes, clock, values } = await setup();
    await set(changes, only(QUEUE, 1), FACTS, 1_000);
    let goOn = (): void => undefined;
    processes.wait = new Promise((resolve) => (goOn = resolve));
    const renewed = set(changes, only(QUEUE, 2), FACTS, 60_000);
    clock.advanceMs(1_000);
    goOn();
    await renewed;
    await settle();
    expect([changes.state.version, values()]).toEqual([2, { [QUEUE]: 2 }]);
  });

  it("says of an expiry that it is one: what it makes misfit is set aside", async () => {
    const { changes, processes, clock } = await setup();
    const seen: boolean[] = [];
    processes.refuse = ({ isExpiry }) => void seen.push(isExpiry);
    await set(changes, only(QUEUE, 1), FACTS, 1_000);
    await set(changes, only(ACTIVATE, false), FACTS, undefined);
    await unset(changes, [ACTIVATE], FACTS);
    clock.advanceMs(1_000);
    await settle();
    expect(seen).toEqual([false, false, false, true]);
  });

  it("ends what expires at its time, as a change of its own, and leaves the rest", async () => {
    const { changes, clock, values } = await setup();
    await set(changes, only(QUEUE, 1), FACTS, 7_200_000);
    await set(changes, only(ACTIVATE, false), FACTS, 60_000);
    clock.advanceMs(59_999);
    await settle();
    expect(values()).toEqual({ [QUEUE]: 1, [ACTIVATE]: false });
    clock.advanceMs(1);
    await settle();
    expect(values()).toEqual({ [QUEUE]: 1 });
    const [event] = await changes.history({ path: undefined, limit: 1 });
    expect(event).toMatchObject({ action: "expired", by: "expiry", version: 3, old: false });
    for (let minute = 0; minute < 120; minute++) {
      clock.advanceMs(60_000);
      await settle();
    }
    expect(values()).toEqual({});
    expect(clock.timerCount).toBe(0);
  });

  it("tries an expiry again that a process refuses, and says so", async () => {
    const { changes, processes, clock, errors, values } = await setup();
    await set(changes, only(QUEUE, 1), FACTS, 1_000);
    processes.refuse = () => new MillraceError("DEADLINE_EXCEEDED", "it hangs");
    clock.advanceMs(1_000);
    await settle();
    expect([errors.length, values()]).toEqual([1, { [QUEUE]: 1 }]);
    processes.refuse = undefined;
    clock.advanceMs(5_000);
    await settle();
    expect([errors.length, values()]).toEqual([1, {}]);
  });

  it("start() gives what is kept without what expired meanwhile, which is in the history", async () => {
    const store = new MemoryOverrideStore();
    const clock = new TestClock();
    const first = await setup(store, clock);
    await set(first.changes, only(QUEUE, 1), FACTS, 1_000);
    await set(first.changes, only(ACTIVATE, false), FACTS, 5_000);
    first.changes.close();
    clock.advanceMs(2_000);
    const { started, changes, values } = await setup(store, clock);
    expect(started.overrides.map(({ path }) => path)).toEqual([ACTIVATE]);
    expect(started.version).toBe(3);
    const [event] = await changes.history({ path: undefined, limit: 1 });
    expect(event).toMatchObject({ path: QUEUE, action: "expired", by: "expiry", old: 1 });
    clock.advanceMs(3_000);
    await settle();
    expect(values()).toEqual({});
  });

  it("close() leaves no timer", async () => {
    const { changes, clock } = await setup();
    await set(changes, only(QUEUE, 1), FACTS, 1_000);
    changes.close();
    expect(clock.timerCount).toBe(0);
  });
});
