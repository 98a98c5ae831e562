import type { FastifyInstance } from "fastify";
import { MillraceError } from "../core/errors.ts";
import { writeExactJson } from "../core/exact-json.ts";
import type { ExplainedOverride, Explanation } from "../core/predictions/explanation.ts";
import { readPredictionKey } from "../core/predictions/prediction-key.ts";
import type { ControlAccess } from "./control-access.ts";
import type { ServingProcesses } from "./control-messages.ts";
import type { OverrideChanges } from "./override-changes.ts";
import { overridesAt } from "./overrides-at.ts";

/** Changes of the history that are looked through. */
const EVENTS_MAX = 1000;

interface ExplainRouteParts {
  readonly changes: OverrideChanges;
  readonly processes: ServingProcesses;
  readonly access: ControlAccess;
}

/**
 * What was decided for a prediction. What somebody sent to be predicted on is shown to who may `admin`: `read` comes with
 * every key that may predict.
 */
export function addExplainRoute(
  app: FastifyInstance,
  { changes, processes, access }: ExplainRouteParts,
): void {
  app.get<{ Params: { readonly id: string } }>(
    "/api/v1/predictions/:id",
    { config: { scope: "read" } },
    async ({ params, headers }, reply) => {
      const explanation = await processes.explain(params.id);
      if (explanation === undefined) throw unknownPrediction(params.id);
      const overrides = await overridesFor(explanation, changes);
      const shown = access.allows(headers, "admin") ? explanation : withoutData(explanation);
      void reply.type("application/json; charset=utf-8");
      return writeExactJson({ ...shown, overrides });
    },
  );
}

/** Errors, what was observed, and why a rule matched, may quote what was sent as well. */
function withoutData({
  rows: _rows,
  attributes: _attributes,
  unit_hash: _unit,
  error: _error,
  observed: _observed,
  ...decisions
}: Explanation): Explanation {
  const rules = decisions.rules?.map(({ why: _why, ...rule }) => rule);
  return rules === undefined ? decisions : { ...decisions, rules };
}

/** The live changes that were in force for a prediction, but for those of other services. */
async function overridesFor(
  { service, override_version: version }: Explanation,
  changes: OverrideChanges,
): Promise<readonly ExplainedOverride[] | undefined> {
  if (version === 0) return undefined;
  const { state } = changes;
  const events =
    version === state.version ? [] : await changes.history({ path: undefined, limit: EVENTS_MAX });
  return overridesAt(version, state, events).filter(
    ({ path }) => !path.startsWith("services.") || path.startsWith(`services.${service}.`),
  );
}

function unknownPrediction(id: string): MillraceError {
  const why =
    readPredictionKey(id) === undefined
      ? "it is no prediction id, and those of requests are not looked for in the log"
      : "the log does not have it";
  return new MillraceError(
    "PREDICTION_NOT_FOUND",
    `Cannot explain ${JSON.stringify(id)}: no process remembers it, each keeps its last predictions in memory, and ${why}`,
  );
}
