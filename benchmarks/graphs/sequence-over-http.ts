import type { ScratchFolder } from "../serving/scratch-folder.ts";
import { predictRequest } from "./bench-server.ts";
import { measureLoads, type Load, type LoadRow } from "./load-rows.ts";
import type { Plan } from "./plan.ts";

/** A sequence of two models, and each of them as a service of its own. */
export interface SequenceOverHttp {
  readonly rows: readonly LoadRow[];
  /** Time of an answer of the sequence by the sum of the two, at one connection. */
  readonly ratio: number;
}

/** One connection: nothing waits and nothing is batched, so the rate tells the time of an answer. */
export async function measureSequenceOverHttp(
  port: number,
  plan: Plan,
  scratch: ScratchFolder,
): Promise<SequenceOverHttp> {
  const widths = { encoder: 16, classifier: 64, pair: 16 };
  const loads = Object.entries(widths).map(([name, width]): Load => {
    const row = Array.from({ length: width }, (_, i) => i / width);
    return { name, request: predictRequest(name, [row]), connections: 1 };
  });
  const rows = await measureLoads(port, loads, plan, scratch);
  const [encoder = NaN, classifier = NaN, pair = NaN] = rows.map((row) => 1 / row.answersPerSecond);
  return { rows, ratio: pair / (encoder + classifier) };
}
