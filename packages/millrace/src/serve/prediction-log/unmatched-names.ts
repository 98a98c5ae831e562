import type { Config, ServiceConfig } from "../../config/config.ts";
import type { Predictor } from "../../models/predictor.ts";

/**
 * A name with a typo protects nothing, and nobody would know: names of `log.redact` and `log.fields` that are none of what
 * is logged. Of services that cannot answer yet nothing is known, so nothing is said.
 * @param predictorsOf everything that can answer for a service.
 * @returns messages for the log, by their keys in the file.
 */
export function unmatchedNames(
  { services, log }: Pick<Config, "services" | "log">,
  predictorsOf: (service: ServiceConfig) => readonly Predictor[],
): string[] {
  const messages: string[] = [];
  const known = new Set<string>();
  let isAllKnown = true;
  for (const service of Object.values(services)) {
    const predictors = predictorsOf(service);
    const names = new Set(predictors.flatMap(fieldsOf));
    for (const name of [...names, ...Object.keys(service.log.attributes)]) known.add(name);
    if (predictors.length === 0) isAllKnown = false;
    else messages.push(...unmatchedFields(service, names));
  }
  if (!isAllKnown) return messages;
  for (const name of Object.keys(log.redact)) {
    if (known.has(name)) continue;
    const what = "is no input, no column of one and no attribute of any service";
    messages.push(`log.redact: "${name}" ${what}; it holds for attributes of feedback only`);
  }
  return messages;
}

function unmatchedFields({ name, log }: ServiceConfig, names: ReadonlySet<string>): string[] {
  const unmatched = (log.fields ?? []).filter((field) => !names.has(field));
  return unmatched.map(
    (field) =>
      `services.${name}.log.fields: "${field}" is no input of the service and no column of one`,
  );
}

/** Names of its inputs and their columns. */
function fieldsOf(predictor: Predictor): string[] {
  return predictor.inputs.flatMap(({ name }) => [
    name,
    ...(predictor.inputConfig(name)?.names ?? []),
  ]);
}
