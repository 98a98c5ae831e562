import { FifoPolicy, type FifoRule } from "./fifo-policy.ts";
import { MillracePolicy } from "./millrace-policy.ts";
import { cork, earlyDrop, greedy, trim, window } from "./rules.ts";
import type { MakePolicy } from "./simulate.ts";

/** Every policy by its name in the report; the last one is ours. */
export const POLICIES = {
  "batch 1": fifo(() => greedy(1)),
  greedy: fifo(() => greedy()),
  "window 2 ms": fifo(() => window(2)),
  "window 10 ms": fifo(() => window(10)),
  trim: fifo(trim),
  CORK: fifo(cork),
  "early drop": fifo(earlyDrop),
  Millrace: (host, workload) => new MillracePolicy(host, workload),
} as const satisfies Readonly<Record<string, MakePolicy>>;

export type PolicyName = keyof typeof POLICIES;

export const POLICY_NAMES = Object.keys(POLICIES) as readonly PolicyName[];

/** A rule may remember, so each simulation gets its own. */
function fifo(makeRule: () => FifoRule): MakePolicy {
  return (host, workload) => new FifoPolicy(host, workload, makeRule());
}
