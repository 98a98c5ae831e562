import type { Clock } from "../../core/clock.ts";
import type { StickyTrouble } from "../../ports/sticky-store.ts";
import { SqliteStickyStore } from "./sticky-store-sqlite.ts";

/** What a test of several processes starts: `test-process.ts <name> <path>`; `hang` and `full` are special names. */
const [name = "", path = ""] = process.argv.slice(2);
const IRIS = "iris/rf";

const clock: Clock = {
  nowMs: () => performance.now(),
  wallMs: () => Date.now(),
  schedule(delayMs, run) {
    const timer = setTimeout(run, delayMs);
    return () => clearTimeout(timer);
  },
  soon: (run) => void setImmediate(run),
};

const troubles: StickyTrouble[] = [];
const onTrouble = (trouble: StickyTrouble): number => troubles.push(trouble);
const store = new SqliteStickyStore({ path, clock, onTrouble });
const unitHash = (number: number): string => number.toString(16).padStart(32, "0");
const arm = { arm: name, phase: 1, propensity: 0.5 };

async function addAll(count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    store.add(IRIS, unitHash(i), arm);
    if (i % 50 === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

if (name === "hang") {
  await addAll(1_000);
  await store.flush();
  process.stdout.write("written\n");
  setInterval(() => undefined, 1_000);
} else if (name === "full") {
  await addAll(20_000);
  const isTold = troubles.some(({ kind }) => kind === "failed");
  process.stdout.write(isTold ? "failed\n" : "no trouble\n");
  let found = 0;
  for (let i = 0; i < 20_000; i++) if (store.find(IRIS, unitHash(i)) !== undefined) found++;
  process.stdout.write(`found ${found} of 20000\n`);
  await store.close();
} else {
  await addAll(1_000);
  await store.flush();
  for (let i = 0; i < 1_000; i++) {
    process.stdout.write(`${unitHash(i)} ${store.find(IRIS, unitHash(i))?.arm ?? "none"}\n`);
  }
  await store.close();
}
