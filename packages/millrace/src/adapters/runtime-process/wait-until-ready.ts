import { setTimeout as delay } from "node:timers/promises";
import type { ProgramClient } from "./program-client.ts";

const FIRST_WAIT_MS = 5;
const WAIT_MS_MAX = 250;

/** Longest time one answer about its state may take; a program that is still loading may not get to answer. */
const ANSWER_MS_MAX = 2_000;

/**
 * Asks a program again and again until it says that it is ready.
 * @param signal ends the waiting; whoever aborts it says why.
 * @param onAnswer gets what came of each try, to say later what was missing.
 */
export async function waitUntilReady(
  client: ProgramClient,
  signal: AbortSignal,
  onAnswer: (answer: string) => void,
): Promise<void> {
  for (let waitMs = FIRST_WAIT_MS; ; waitMs = Math.min(1.5 * waitMs, WAIT_MS_MAX)) {
    signal.throwIfAborted();
    try {
      const limit = AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS_MAX)]);
      const { status } = await client.get("/v2/health/ready", limit);
      if (status === 200) return;
      onAnswer(`GET /v2/health/ready answered ${status}`);
    } catch (error) {
      if (!signal.aborted) onAnswer(explain(error));
    }
    await delay(waitMs, undefined, { signal }).catch(() => undefined);
  }
}

function explain(error: unknown): string {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  if (code === "ENOENT" || code === "ECONNREFUSED") return "it does not listen";
  if (code === "ABORT_ERR") return "GET /v2/health/ready was not answered";
  return `GET /v2/health/ready failed: ${error instanceof Error ? error.message : "unknown error"}`;
}
