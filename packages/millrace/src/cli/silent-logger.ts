import type { Logger } from "../ports/logger.ts";

/** For a role that a command runs for itself and whose problems it prints in its own words. */
export const SILENT: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};
