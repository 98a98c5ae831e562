import type { ServiceConfig } from "../config/config.ts";

/**
 * The model that a service runs as it is; undefined for one that needs a graph. A plain service has no steps to trace
 * and costs nothing beside its model.
 */
export function plainModelOf({ graph, parameters, cache }: ServiceConfig): string | undefined {
  const isPlain = graph.kind === "model" && parameters.retries === 0 && cache.data === undefined;
  return isPlain ? graph.model : undefined;
}
