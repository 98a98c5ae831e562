import { setTimeout as sleep } from "node:timers/promises";
import { MillraceClient } from "millrace-client";

const url = process.argv[2] ?? "http://localhost:8000";
const client = new MillraceClient({ url, timeoutMs: 20_000 });

/** Half a second of work, or more. */
const ROUNDS = 500_000;

for (const slow of ["slow", "slow-inline"]) {
  const { slowMs, irisMsMax } = await measure(slow);
  console.log(`${slow} took ${ms(slowMs)}, meanwhile iris answered within ${ms(irisMsMax)}`);
  const isHeldUp = irisMsMax > slowMs / 2;
  console.log(isHeldUp ? "iris had to wait for it" : "iris did not have to wait for it");
}

/** Asks iris again and again for as long as the slow service needs for one answer. */
async function measure(slow: string): Promise<{ slowMs: number; irisMsMax: number }> {
  let isRunning = true;
  const running = timeMs(client.predict(slow, [ROUNDS])).finally(() => (isRunning = false));
  let irisMsMax = 0;
  while (isRunning) {
    irisMsMax = Math.max(irisMsMax, await timeMs(client.predict("iris", [[5.1, 3.5, 1.4, 0.2]])));
    await sleep(10);
  }
  return { slowMs: await running, irisMsMax };
}

async function timeMs(work: Promise<unknown>): Promise<number> {
  const startMs = performance.now();
  await work;
  return performance.now() - startMs;
}

function ms(value: number): string {
  return `${value.toFixed(1)} ms`;
}
