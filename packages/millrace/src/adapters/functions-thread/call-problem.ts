import type { CallFailure } from "./thread-messages.ts";

/** Ends a call inside the thread with what went wrong. */
export class CallProblem extends Error {
  readonly failure: CallFailure;

  constructor(failure: CallFailure) {
    super(failure.kind);
    this.failure = failure;
  }
}

/** What the function gave is not what it declares. @param state stands behind "the function". */
export function wrongOutput(state: string): CallProblem {
  return new CallProblem({ kind: "output", state });
}
