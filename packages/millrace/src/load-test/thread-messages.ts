import type { LoadPlan } from "./load-plan.ts";
import type { ResultBlock } from "./result-block.ts";

/** What a thread is started with. */
export interface ThreadStart {
  readonly plan: LoadPlan;
  /** From 0. */
  readonly thread: number;
  readonly threads: number;
}

/** What a thread is told. */
export type ThreadOrder =
  /** Time 0 of the run on the clock of process.hrtime, which all threads share. */
  | { readonly kind: "begin"; readonly zeroNs: bigint }
  /** One block has been taken. */
  | { readonly kind: "taken" }
  /** Start nothing more, and wait for the answers. */
  | { readonly kind: "finish" }
  /** Start nothing more and wait for no answer. */
  | { readonly kind: "stop" };

/** What a thread tells. */
export type ThreadReport =
  /** It has its connections and waits for `begin`. */
  | { readonly kind: "ready" }
  | { readonly kind: "block"; readonly block: ResultBlock }
  /** Its last message: every start has ended, or it was stopped. */
  | { readonly kind: "done"; readonly starts: StartCounts }
  /** It cannot go on. `isInput`: because of what it was given, such as an address that nobody answers at. */
  | { readonly kind: "failed"; readonly why: string; readonly isInput: boolean };

/** Starts of the measured time. */
export interface StartCounts {
  readonly due: number;
  readonly sent: number;
  /** Found every connection busy. */
  readonly dropped: number;
  /** Sent, and nothing came of them until the run was stopped. */
  readonly unanswered: number;
}
