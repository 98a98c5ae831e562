import type { Clock } from "../core/clock.ts";
import { withLimit } from "./with-limit.ts";

/** Whoever looks at what runs waits so long for a process: one that hangs must not hide the others. */
const LOOK_MS_MAX = 5_000;

/** @returns undefined when the process ends, hangs or fails. */
export async function answerIfAny<Result>(
  answer: Promise<Result>,
  clock: Clock,
): Promise<Result | undefined> {
  const late = new Error(`it did not answer in ${LOOK_MS_MAX} ms`);
  return withLimit(answer, clock, LOOK_MS_MAX, late).catch(() => undefined);
}
