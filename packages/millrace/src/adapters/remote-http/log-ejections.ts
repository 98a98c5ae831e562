import type { EjectionEvents } from "../../core/overload/ejection.ts";
import type { Logger } from "../../ports/logger.ts";

/** Writes into the log which servers of a remote are left alone, and which are used again. @param names of its servers. */
export function logEjections(
  remote: string,
  names: readonly string[],
  log: Logger,
): EjectionEvents {
  return {
    ejected(host, forMs) {
      const endpoint = names[host] as string;
      const text = `${endpoint} keeps failing and is left alone for ${forMs / 1000} s`;
      log.warn({ remote, endpoint, ejectedMs: forMs }, `Remote ${remote}: ${text}`);
    },
    returned(host) {
      const endpoint = names[host] as string;
      log.info({ remote, endpoint }, `Remote ${remote}: ${endpoint} is used again`);
    },
  };
}
