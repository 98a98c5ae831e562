import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { SqliteOverrideStore } from "../../packages/millrace/src/adapters/override-store-sqlite/override-store-sqlite.ts";
import { SqliteReleaseStore } from "../../packages/millrace/src/adapters/release-store-sqlite/release-store-sqlite.ts";
import type { ReleaseStore } from "../../packages/millrace/src/ports/release-store.ts";
import { describeReleaseStoreContract } from "./release-store-contract.ts";

const folder = mkdtempSync(join(tmpdir(), "millrace-releases-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const paths = new Map<ReleaseStore, string>();
let count = 0;

function open(path: string): ReleaseStore {
  const store = new SqliteReleaseStore(path);
  paths.set(store, path);
  return store;
}

describeReleaseStoreContract({
  name: "sqlite",
  create: () => Promise.resolve(open(join(folder, `${count++}`, "control.sqlite"))),
  reopen: (store) => Promise.resolve(open(paths.get(store) ?? "")),
});

it("SqliteReleaseStore() shares its file with the overrides", async () => {
  const path = join(folder, "shared", "control.sqlite");
  const [overrides, releases] = [new SqliteOverrideStore(path), new SqliteReleaseStore(path)];
  const steps = [{ path: "a.b", action: "set", old: 1, value: 2 } as const];
  const change = { atMs: 1, by: "ramp", reason: "", expiresAtMs: undefined, steps };
  const written = await Promise.all([
    overrides.commit(change, 0),
    releases.write({ key: "k", state: 1 }, 0, []),
    overrides.commit(change, 1),
    releases.write({ key: "k", state: 2 }, 1, []),
  ]);
  expect(written.map((one) => one?.version)).toEqual([1, 1, 2, 2]);
  await overrides.close();
  await releases.close();
});

it("SqliteReleaseStore() throws for a file that is no database", () => {
  const path = join(folder, "text.sqlite");
  writeFileSync(path, "this is no database, but long enough to be looked at as one\n".repeat(100));
  expect(() => new SqliteReleaseStore(path)).toThrow("not a database");
});
