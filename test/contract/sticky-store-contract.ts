import { describe, expect, it } from "vitest";
import type {
  StickyArm,
  StickyStore,
  StickyTrouble,
} from "../../packages/millrace/src/ports/sticky-store.ts";

export interface StickyStoreContract {
  readonly name: string;
  /** An empty store that tells of its trouble; it is closed by the test. */
  readonly create: (onTrouble: (trouble: StickyTrouble) => void) => StickyStore;
  /** Another store with the same content, as a second process opens it; undefined where there is no such thing. */
  readonly reopen: ((store: StickyStore) => StickyStore) | undefined;
  /** Lets as much time pass. */
  readonly passMs: (ms: number) => void;
}

const IRIS = "iris/rf";
const UNIT = unitHash(1);
const CONTROL: StickyArm = { arm: "control", phase: 1, propensity: 0.6 };
const TREATMENT: StickyArm = { arm: "treatment", phase: 2, propensity: 0.5 };

/** As a keyed hash: 32 hexadecimal digits. */
export function unitHash(number: number): string {
  return (number * 2_654_435_761).toString(16).padStart(16, "0").padEnd(32, "5");
}

function ignore(): void {
  // No trouble is expected, or it is of no interest.
}

/** What every implementation of `StickyStore` does. */
export function describeStickyStoreContract(contract: StickyStoreContract): void {
  const { name, create, reopen, passMs } = contract;
  describe(`${name} as a sticky store`, () => {
    it("find() gives nothing of a unit that was never added", async () => {
      const store = create(ignore);
      expect(store.find(IRIS, UNIT)).toBeUndefined();
      expect(store.find(IRIS, UNIT)).toBeUndefined();
      await store.close();
    });

    it("find() gives what was added, at once and after it was written", async () => {
      const store = create(ignore);
      expect(store.find(IRIS, UNIT)).toBeUndefined();
      expect(store.add(IRIS, UNIT, CONTROL)).toBe(true);
      expect(store.find(IRIS, UNIT)).toEqual(CONTROL);
      await store.flush();
      expect(store.find(IRIS, UNIT)).toEqual(CONTROL);
      await store.close();
    });

    it("keeps experiments and units apart", async () => {
      const store = create(ignore);
      store.add(IRIS, UNIT, CONTROL);
      store.add("wine/rf", UNIT, TREATMENT);
      store.add(IRIS, unitHash(2), TREATMENT);
      await store.flush();
      expect(store.find(IRIS, UNIT)).toEqual(CONTROL);
      expect(store.find("wine/rf", UNIT)).toEqual(TREATMENT);
      expect(store.find(IRIS, unitHash(2))).toEqual(TREATMENT);
      expect(store.find("wine/rf", unitHash(2))).toBeUndefined();
      await store.close();
    });

    it("add() keeps the first arm and tells that another one is another one", async () => {
      const store = create(ignore);
      store.add(IRIS, UNIT, CONTROL);
      expect(store.add(IRIS, UNIT, CONTROL)).toBe(true);
      expect(store.add(IRIS, UNIT, TREATMENT)).toBe(false);
      expect(store.find(IRIS, UNIT)).toEqual(CONTROL);
      await store.close();
    });

    it("add() keeps nothing of the object but the arm", async () => {
      const store = create(ignore);
      const larger = { ...CONTROL, request: "is not kept" };
      store.add(IRIS, UNIT, larger);
      expect(store.find(IRIS, UNIT)).toStrictEqual(CONTROL);
      await store.close();
    });

    it("replace() puts another arm in the place of one, written or not", async () => {
      const store = create(ignore);
      store.add(IRIS, UNIT, CONTROL);
      store.replace(IRIS, UNIT, TREATMENT);
      expect(store.find(IRIS, UNIT)).toEqual(TREATMENT);
      await store.flush();
      store.replace(IRIS, UNIT, CONTROL);
      await store.flush();
      expect(store.find(IRIS, UNIT)).toEqual(CONTROL);
      await store.close();
    });

    it("replace() keeps an arm where there is none", async () => {
      const store = create(ignore);
      store.replace(IRIS, UNIT, TREATMENT);
      await store.flush();
      expect(store.find(IRIS, UNIT)).toEqual(TREATMENT);
      await store.close();
    });

    it("forget() forgets a unit in every experiment, and no other unit", async () => {
      const store = create(ignore);
      store.add(IRIS, UNIT, CONTROL);
      await store.flush();
      store.add("wine/rf", UNIT, CONTROL);
      store.add(IRIS, unitHash(2), CONTROL);
      await store.forget(UNIT);
      await store.flush();
      expect(store.find(IRIS, UNIT)).toBeUndefined();
      expect(store.find("wine/rf", UNIT)).toBeUndefined();
      expect(store.find(IRIS, unitHash(2))).toEqual(CONTROL);
      await store.forget(unitHash(3));
      await store.close();
    });

    it("tells no trouble in all this", async () => {
      const troubles: StickyTrouble[] = [];
      const store = create((trouble) => troubles.push(trouble));
      for (let i = 0; i < 2_000; i++) store.add(IRIS, unitHash(i), CONTROL);
      await store.flush();
      expect(store.find(IRIS, unitHash(1_999))).toEqual(CONTROL);
      await store.beginWriteThrough();
      store.add(IRIS, unitHash(2_000), CONTROL);
      store.endWriteThrough();
      await store.close();
      expect(troubles).toEqual([]);
    });

    it("find() and add() do no harm when it is closed", async () => {
      const store = create(ignore);
      await store.close();
      expect(() => store.add(IRIS, UNIT, CONTROL)).not.toThrow();
      expect(() => store.find(IRIS, UNIT)).not.toThrow();
      await store.close();
    });

    it.skipIf(reopen === undefined)("flush() lets all find what was added", async () => {
      const store = create(ignore);
      const other = reopen?.(store);
      for (let i = 0; i < 1_200; i++)
        store.add(IRIS, unitHash(i), i % 2 === 0 ? CONTROL : TREATMENT);
      await store.flush();
      for (let i = 0; i < 1_200; i++) {
        expect(other?.find(IRIS, unitHash(i))).toEqual(i % 2 === 0 ? CONTROL : TREATMENT);
      }
      await store.close();
      await other?.close();
    });

    it.skipIf(reopen === undefined)("what was added is written without being asked", async () => {
      const store = create(ignore);
      const other = reopen?.(store);
      store.add(IRIS, UNIT, CONTROL);
      expect(other?.find(IRIS, unitHash(2))).toBeUndefined();
      passMs(100);
      expect(other?.find(IRIS, UNIT)).toEqual(CONTROL);
      await store.close();
      await other?.close();
    });

    it.skipIf(reopen === undefined)("keeps everything when it is opened again", async () => {
      const store = create(ignore);
      store.add(IRIS, UNIT, CONTROL);
      await store.close();
      const again = reopen?.(store);
      expect(again?.find(IRIS, UNIT)).toEqual(CONTROL);
      await again?.close();
    });

    it.skipIf(reopen === undefined)("of two that add at once, one is first, for both", async () => {
      const store = create(ignore);
      const other = reopen?.(store);
      store.add(IRIS, UNIT, CONTROL);
      other?.add(IRIS, UNIT, TREATMENT);
      await Promise.all([store.flush(), other?.flush()]);
      expect(store.find(IRIS, UNIT)).toEqual(CONTROL);
      expect(other?.find(IRIS, UNIT)).toEqual(CONTROL);
      await store.close();
      await other?.close();
    });

    it.skipIf(reopen === undefined)(
      "beginWriteThrough() lets all find at once what is added, also what they missed before",
      async () => {
        const store = create(ignore);
        const other = reopen?.(store);
        other?.find(IRIS, UNIT);
        store.find(IRIS, unitHash(2));
        await Promise.all([store.beginWriteThrough(), other?.beginWriteThrough()]);
        expect(store.add(IRIS, UNIT, CONTROL)).toBe(true);
        expect(other?.find(IRIS, UNIT)).toEqual(CONTROL);
        expect(other?.add(IRIS, unitHash(2), TREATMENT)).toBe(true);
        expect(store.add(IRIS, unitHash(2), CONTROL)).toBe(false);
        expect(store.find(IRIS, unitHash(2))).toEqual(TREATMENT);
        await store.close();
        await other?.close();
      },
    );

    it.skipIf(reopen === undefined)(
      "endWriteThrough() goes on until the other processes have changed too",
      async () => {
        const store = create(ignore);
        const other = reopen?.(store);
        await Promise.all([store.beginWriteThrough(), other?.beginWriteThrough()]);
        store.endWriteThrough();
        passMs(500);
        // The first divides units anew already, the other one still as before.
        expect(store.find(IRIS, UNIT)).toBeUndefined();
        expect(other?.add(IRIS, UNIT, CONTROL)).toBe(true);
        expect(store.find(IRIS, UNIT)).toEqual(CONTROL);
        await store.close();
        await other?.close();
      },
    );

    it.skipIf(reopen === undefined)("forget() reaches the other processes soon", async () => {
      const store = create(ignore);
      const other = reopen?.(store);
      store.add(IRIS, UNIT, CONTROL);
      await store.flush();
      expect(other?.find(IRIS, UNIT)).toEqual(CONTROL);
      await store.forget(UNIT);
      passMs(1_000);
      expect(other?.find(IRIS, UNIT)).toBeUndefined();
      await store.close();
      await other?.close();
    });
  });
}
