import type { ServiceConfig } from "../config/config.ts";
import { modelsIn, sourceStepsIn } from "./graph-steps.ts";
import { plainModelOf } from "./plain-service.ts";

/** What a service runs, in words: `iris`, `graph of detect, crop, classify`. */
export function describeGraph(service: ServiceConfig): string {
  const model = plainModelOf(service);
  if (model !== undefined) return model;
  const sources = sourceStepsIn(service.graph).map(({ name }) => name);
  const names = [...new Set([...modelsIn(service.graph), ...sources])];
  const shown = names.slice(0, NAMES_MAX).join(", ");
  return `graph of ${shown}${names.length > NAMES_MAX ? ", …" : ""}`;
}

const NAMES_MAX = 8;
