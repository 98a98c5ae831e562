import { wilsonInterval } from "../core/stats/wilson-interval.ts";
import type { Agreement } from "./replay-report.ts";

export function agreementOf(agreed: number, compared: number): Agreement {
  if (compared === 0) {
    return { compared, agreed, share: undefined, low: undefined, high: undefined };
  }
  return { compared, agreed, share: agreed / compared, ...wilsonInterval(agreed, compared) };
}
