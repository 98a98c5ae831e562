import { didYouMean } from "./did-you-mean.ts";
import type { ProblemLog } from "./problem-log.ts";
import type { ConfigPath } from "./config-path.ts";

/** Where a service names a model or service that nobody has. */
interface UnknownName {
  readonly service: string;
  readonly at: ConfigPath;
  /** Undefined when nothing is written, so that the service's own name is meant. */
  readonly written: string | undefined;
  readonly known: readonly string[];
  /** What may stand there instead of a name. */
  readonly words?: readonly string[];
}

export function reportUnknownName(unknown: UnknownName, log: ProblemLog): void {
  const { service, at, written, words = [] } = unknown;
  const others = [...new Set(unknown.known)].filter((other) => other !== service);
  const names = `the name of a model or service: ${others.join(", ")}`;
  const allowed = words.length === 0 ? names : `${words.join(", ")} or ${names}`;
  const message =
    written === undefined ? `missing, and no model is named "${service}"` : `found ${log.show(at)}`;
  const nearest = didYouMean(written ?? service, [...words, ...others]);
  log.add(at, `${message}, expected ${allowed}`, { allowed, didYouMean: nearest });
}
