// Sends one HTTP/1.1 request over and over, and measures how long the answers take. It runs as a process of its
// own, so that its garbage and its timers disturb nobody: `node generator.ts '<LoadPlan as JSON>'` prints a
// LoadResult as JSON. Infinity has no place in JSON: a limit that is null there is none.
import { readFileSync } from "node:fs";
import type { LoadPlan } from "./load-plan.ts";
import { OpenLoop } from "./open-loop.ts";

const plan = JSON.parse(process.argv[2] ?? "") as LoadPlan; // from our own run-generator.ts
const { waitMsMax = Infinity, answerMsMax = Infinity } = withoutNulls(plan);
const loop = new OpenLoop({ ...plan, waitMsMax, answerMsMax }, readFileSync(plan.requestFile));
const result = await loop.run();
process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit(0));

function withoutNulls(from: LoadPlan): Partial<LoadPlan> {
  return Object.fromEntries(Object.entries(from).filter(([, value]) => value !== null));
}
