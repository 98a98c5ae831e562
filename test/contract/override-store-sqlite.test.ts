import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { SqliteOverrideStore } from "../../packages/millrace/src/adapters/override-store-sqlite/override-store-sqlite.ts";
import type { OverrideStore } from "../../packages/millrace/src/ports/override-store.ts";
import { describeOverrideStoreContract } from "./override-store-contract.ts";

const folder = mkdtempSync(join(tmpdir(), "millrace-overrides-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const paths = new Map<OverrideStore, string>();
let count = 0;

function open(path: string): OverrideStore {
  const store = new SqliteOverrideStore(path);
  paths.set(store, path);
  return store;
}

describeOverrideStoreContract({
  name: "sqlite",
  create: () => Promise.resolve(open(join(folder, `${count++}`, "control.sqlite"))),
  reopen: (store) => Promise.resolve(open(paths.get(store) ?? "")),
});

it("SqliteOverrideStore() throws for a file that is no database", () => {
  const path = join(folder, "text.sqlite");
  writeFileSync(path, "this is no database, but long enough to be looked at as one\n".repeat(100));
  expect(() => new SqliteOverrideStore(path)).toThrow("not a database");
});
