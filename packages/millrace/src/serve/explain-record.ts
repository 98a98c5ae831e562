import { readExactJson } from "../core/exact-json.ts";
import { explainAssignment } from "../core/experiment/explain-assignment.ts";
import { describeTrace } from "../core/graph/describe-trace.ts";
import type { JsonValue } from "../core/json.ts";
import type { Explanation } from "../core/predictions/explanation.ts";
import { knownMembers } from "../core/predictions/known-members.ts";
import type { Tensor } from "../core/tensor/tensor.ts";
import { nestedJson, rowJson } from "../core/tensor/write-json.ts";
import type { PredictionRecord } from "./recent-predictions.ts";

/**
 * What a process remembers of a prediction; of its inputs and its prediction that is nothing.
 * @param shadows what shadows made of it; undefined when nothing is known.
 */
export function explainRecord(
  record: PredictionRecord,
  shadows?: Explanation["shadows"],
): Explanation {
  const { asked, trace, observed } = record;
  const rules = asked?.rules.explain(asked.attributes, asked.wallMs);
  const assignment =
    record.arm && explainAssignment(record.arm.experiment.config, record.arm.assignment);
  return knownMembers<Explanation>({
    prediction_id: record.id,
    source: "memory",
    request_id: record.requestId,
    trace_id: record.traceId,
    service: record.service,
    endpoint: record.endpoint,
    model: record.model,
    digest: record.digest,
    role: record.role,
    received_at: new Date(record.receivedWallMs).toISOString(),
    status: record.code,
    error: record.message,
    degraded: record.degraded,
    cache: record.cache,
    override_version: record.overrideVersion,
    duration_ms: {
      total: toMicroseconds(record.tookMs),
      queue: toMicroseconds(record.queueMs),
      batch: toMicroseconds(record.batchMs),
      infer: toMicroseconds(record.computeMs),
    },
    rule: record.rule ?? (rules === undefined ? undefined : "default"),
    rules,
    experiment: assignment?.experiment,
    variant: assignment?.variant,
    phase: assignment?.phase,
    propensity: assignment?.propensity,
    assignment,
    graph: trace === undefined ? undefined : describeTrace(trace),
    shadows,
    observed: observed && Object.fromEntries(observed.map((one) => [one.name, valueOf(one)])),
    row_count: record.rowCount,
  });
}

/** As `/predict` would answer it. */
function valueOf(tensor: Tensor): JsonValue {
  return readExactJson(tensor.shape[0] === 1 ? rowJson(tensor, 0) : nestedJson(tensor));
}

function toMicroseconds(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
