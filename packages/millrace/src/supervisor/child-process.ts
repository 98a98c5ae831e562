import type { LoggerFor } from "../ports/logger.ts";

/** The terminal sends signals to the whole group; the supervisor decides what they mean. */
export function endWithSupervisor(onTerm: () => Promise<void>, onGone: () => Promise<void>): void {
  process.on("SIGINT", () => undefined);
  process.on("SIGHUP", () => undefined);
  process.on("SIGTERM", () => void onTerm());
  process.once("disconnect", () => void onGone());
}

/** A defect ends the process, which starts again; it is logged like everything else first. */
export function logFatalErrors(loggerFor: LoggerFor): void {
  const log = loggerFor("process");
  process.on("uncaughtExceptionMonitor", (error) => {
    log.error({ err: error }, "Process ends: an error nobody handled");
  });
}
