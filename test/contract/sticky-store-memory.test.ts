import { expect, it } from "vitest";
import { MemoryStickyStore } from "../../packages/millrace/src/adapters/sticky-store-memory/sticky-store-memory.ts";
import type { StickyTrouble } from "../../packages/millrace/src/ports/sticky-store.ts";
import { describeStickyStoreContract, unitHash } from "./sticky-store-contract.ts";

describeStickyStoreContract({
  name: "memory",
  create: (onTrouble) => new MemoryStickyStore({ onTrouble }),
  reopen: undefined,
  passMs: () => undefined,
});

it("MemoryStickyStore() makes room by the unit that was asked for longest ago, and tells", () => {
  const troubles: StickyTrouble[] = [];
  const onTrouble = (trouble: StickyTrouble): number => troubles.push(trouble);
  const store = new MemoryStickyStore({ onTrouble, unitsMax: 2 });
  const arm = { arm: "control", phase: 1, propensity: 0.5 };
  store.add("iris/rf", unitHash(1), arm);
  store.add("iris/rf", unitHash(2), arm);
  store.find("iris/rf", unitHash(1));
  store.add("iris/rf", unitHash(3), arm);
  expect([1, 2, 3].map((i) => store.find("iris/rf", unitHash(i)))).toEqual([arm, undefined, arm]);
  expect(troubles).toEqual([{ kind: "lost", reason: "evicted", count: 1 }]);
});
