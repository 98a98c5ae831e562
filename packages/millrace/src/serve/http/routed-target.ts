import type { ServiceConfig } from "../../config/config.ts";
import type { DataPlane, Target, TargetChoice } from "../data-plane.ts";
import type { Exchange } from "./exchange.ts";
import { RequestAttributes } from "./request-attributes.ts";

export type RouteChoice = Pick<TargetChoice, "version" | "participation">;

/**
 * What answers a request, as the service's rules and its experiment decide, with what its steps may look at.
 * @param choice number of the version in the path, and how the request takes part in the experiment.
 * @returns a promise only where a rule, an experiment or a step looks into the body.
 * @throws MODEL_NOT_FOUND, MODEL_NOT_READY, and what reading the body throws.
 */
export function routedTarget(
  plane: DataPlane,
  service: ServiceConfig,
  exchange: Exchange,
  choice: RouteChoice = {},
): Target | Promise<Target> {
  if (exchange.trace !== undefined) exchange.trace.service = service.name;
  const reads = plane.readsOf(service);
  if (reads === "nothing") return plane.target(service, choice);
  const attributes = new RequestAttributes(exchange);
  const choose = (): Target => plane.target(service, { ...choice, attributes, facts: exchange });
  return reads === "body" ? attributes.decodeBody().then(choose) : choose();
}
