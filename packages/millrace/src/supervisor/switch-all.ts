import type { Clock } from "../core/clock.ts";
import { MillraceError } from "../core/errors.ts";
import type { Logger } from "../ports/logger.ts";
import { ChannelClosedError } from "./ipc-peer.ts";
import type { ConfigOrder } from "./serve-process.ts";
import { withLimit } from "./with-limit.ts";

/** Longest time a process may take to answer; its thread is free for that unless it hangs. */
export const ANSWER_MS_MAX = 5_000;

/** What a serve process does for it. */
export interface SwitchingProcess {
  readonly pid: number;
  prepare(order: ConfigOrder): Promise<void>;
  commit(): Promise<void>;
  abort(): Promise<void>;
  kill(): void;
}

export interface SwitchOptions {
  readonly clock: Clock;
  readonly log: Logger;
  /** All are ready: keeps the change for good, or throws, and nobody makes it. */
  readonly persist: () => Promise<void>;
  /** It is kept: whoever starts from now on has it from the start. */
  readonly onDecided: () => void;
}

/**
 * Makes a change of live keys in every process or in none: all make it ready, it is kept, all switch. A process that
 * ends meanwhile does not count: it starts again with what holds then.
 * @throws what a process has against it, and what `persist` throws.
 */
export async function switchAll(
  processes: readonly SwitchingProcess[],
  order: ConfigOrder,
  options: SwitchOptions,
): Promise<void> {
  try {
    await Promise.all(processes.map((process) => prepared(process, order, options)));
    await options.persist();
  } catch (error) {
    // Nobody waits for that: one that hangs reads it before whatever it is told next.
    for (const process of processes) process.abort().catch(() => undefined);
    throw error;
  }
  options.onDecided();
  await Promise.all(processes.map((process) => committed(process, options)));
}

async function prepared(
  process: SwitchingProcess,
  order: ConfigOrder,
  { clock }: SwitchOptions,
): Promise<void> {
  const late = new MillraceError(
    "DEADLINE_EXCEEDED",
    `Cannot change: process ${process.pid} did not answer in ${ANSWER_MS_MAX} ms; nothing has changed`,
  );
  try {
    await withLimit(process.prepare(order), clock, ANSWER_MS_MAX, late);
  } catch (error) {
    if (!(error instanceof ChannelClosedError)) throw error;
  }
}

/** One that is ready switches; what else happens is a defect, and the process starts anew with the change. */
async function committed(process: SwitchingProcess, { clock, log }: SwitchOptions): Promise<void> {
  const late = new Error(`it did not answer in ${ANSWER_MS_MAX} ms`);
  try {
    await withLimit(process.commit(), clock, ANSWER_MS_MAX, late);
  } catch (error) {
    if (error instanceof ChannelClosedError) return;
    log.error({ processPid: process.pid, err: error }, "A serve process did not switch: killed");
    process.kill();
  }
}
