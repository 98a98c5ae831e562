import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
import { SqliteStickyStore } from "../../packages/millrace/src/adapters/sticky-store-sqlite/sticky-store-sqlite.ts";
import { TestClock } from "../../packages/millrace/src/core/test-clock.ts";
import type { StickyStore, StickyTrouble } from "../../packages/millrace/src/ports/sticky-store.ts";
import { describeStickyStoreContract } from "./sticky-store-contract.ts";

const folder = mkdtempSync(join(tmpdir(), "millrace-units-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const clock = new TestClock();
const paths = new Map<StickyStore, string>();
let count = 0;

function open(path: string, onTrouble: (trouble: StickyTrouble) => void): StickyStore {
  const store = new SqliteStickyStore({ path, clock, onTrouble });
  paths.set(store, path);
  return store;
}

describeStickyStoreContract({
  name: "sqlite",
  create: (onTrouble) => open(join(folder, `${count++}`, "units.sqlite"), onTrouble),
  reopen: (store) => open(paths.get(store) ?? "", () => undefined),
  passMs: (ms) => clock.advanceMs(ms),
});
