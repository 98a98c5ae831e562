import type { Config, ServiceConfig } from "../config/config.ts";
import type { Redaction } from "../core/predictions/redaction.ts";
import { policyOf } from "../core/predictions/privacy-plan.ts";
import { modelsIn } from "../graphs/graph-steps.ts";
import type { Predictor } from "../models/predictor.ts";
import type { InputNames } from "./rebuild-inputs.ts";

/** How the candidate's inputs are called in the log of a service. */
export function inputNamesOf(
  config: Config,
  service: ServiceConfig,
  predictor: Pick<Predictor, "inputs" | "inputConfig">,
): InputNames {
  const { redact } = config.log;
  const policy = policyOf({ fields: service.log.fields, redact });
  return {
    specs: predictor.inputs,
    columns: (input) =>
      predictor.inputConfig(input)?.names ?? loggedColumns(config, service, input),
    redacted: new Map(
      Object.entries(redact).map(([name, redaction]) => [name, reasonOf(name, redaction)]),
    ),
    policy: policy === "" ? undefined : policy,
  };
}

/** The columns of the service's own input of that name, or of its only one: the candidate may know no names. */
function loggedColumns(
  config: Config,
  service: ServiceConfig,
  input: string,
): readonly string[] | undefined {
  const models = [...modelsIn(service.graph)].map((name) => config.models[name]);
  const inputs = models.flatMap((model) => Object.entries(model?.inputs ?? {}));
  const named =
    inputs.find(([name]) => name === input) ?? (inputs.length === 1 ? inputs[0] : undefined);
  return named?.[1].names;
}

const WHAT = { drop: "not logged", mask: "masked", hmac: "hashed" } as const;

function reasonOf(name: string, { kind }: Redaction): string {
  const what = kind === "bucket" ? "logged as its bucket" : WHAT[kind];
  return `"${name}" is ${what}: log.redact`;
}
