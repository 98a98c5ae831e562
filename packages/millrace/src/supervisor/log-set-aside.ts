import type { SetAside } from "../control/control-messages.ts";
import type { Logger } from "../ports/logger.ts";

/** Says which overrides are kept and not in force, and why. */
export function logSetAside(setAside: readonly SetAside[], log: Logger): void {
  for (const { path, version, why } of setAside) {
    log.warn(
      { path, version, why },
      `Override v${version} of ${path} is set aside, it does not fit the file: ${why}`,
    );
  }
}
