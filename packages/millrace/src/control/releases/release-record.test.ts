import { expect, it } from "vitest";
import { MemoryReleaseStore } from "../../adapters/release-store-memory/release-store-memory.ts";
import { ReleaseRecord } from "./release-record.ts";

const KEY = "experiment/iris/rf";

it("ReleaseRecord writes one state after the other, and reads what another one wrote", async () => {
  const store = new MemoryReleaseStore();
  const record = new ReleaseRecord<{ step: number; why: string | undefined }>(KEY, store);
  expect(await record.read()).toBeUndefined();
  await record.write({ step: 1, why: undefined }, []);
  await record.write({ step: 2, why: "x" }, []);
  const again = new ReleaseRecord<{ step: number }>(KEY, store);
  expect(await again.read()).toEqual({ step: 2, why: "x" });
});

it("ReleaseRecord.write() changes nothing when another process has written, and goes on from there", async () => {
  const store = new MemoryReleaseStore();
  const [first, late] = [1, 2].map(() => new ReleaseRecord<{ by: string }>(KEY, store));
  if (first === undefined || late === undefined) throw new Error("both are there");
  await Promise.all([first.read(), late.read()]);
  await first.write({ by: "first" }, []);
  await expect(late.write({ by: "late" }, [])).rejects.toMatchObject({ code: "OVERRIDE_CONFLICT" });
  expect(await late.read()).toEqual({ by: "first" });
  await late.write({ by: "late" }, []);
  expect((await store.read(KEY))?.version).toBe(2);
});

it("ReleaseRecord.read() begins anew where the state has another form", async () => {
  const store = new MemoryReleaseStore();
  await store.write({ key: KEY, state: { form: 99, state: { step: 1 } } }, 0, []);
  const record = new ReleaseRecord<{ step: number }>(KEY, store);
  expect(await record.read()).toBeUndefined();
  await record.write({ step: 0 }, []);
  expect(await record.read()).toEqual({ step: 0 });
});

it("ReleaseRecord.read() has what another process wrote since", async () => {
  const store = new MemoryReleaseStore();
  const ours = new ReleaseRecord<{ by: string }>(KEY, store);
  const theirs = new ReleaseRecord<{ by: string }>(KEY, store);
  await ours.write({ by: "us" }, []);
  await theirs.read();
  await theirs.write({ by: "them" }, []);
  expect(await ours.read()).toEqual({ by: "them" });
});
