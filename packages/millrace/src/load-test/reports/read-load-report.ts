import type { LoadReport } from "../../core/load/load-report.ts";
import { LoadInputError } from "../load-input-error.ts";

/** Forms of the part `millrace` that can be read. */
const FORMAT = 1;

/** Members that something is computed from; of the others it is enough that they are shown. */
const FACTS = ["starts", "response", "service", "lag", "timeline", "histogram", "objectives"];

/**
 * Reads what `millrace load --json` has written.
 * @param name of the file, for errors. @throws LoadInputError for anything else.
 */
export function readLoadReport(text: string, name: string): LoadReport {
  const report = membersOf(parsed(text, name));
  const facts = membersOf(report?.["millrace"]);
  if (report?.["latencies"] === undefined) {
    throw new LoadInputError(`Cannot read ${name}: it is no report of millrace load --json`);
  }
  if (facts === undefined) {
    throw new LoadInputError(
      `Cannot read ${name}: it is a report of vegeta, which does not have what millrace load --json has`,
    );
  }
  if (facts["format"] !== FORMAT) {
    throw new LoadInputError(
      `Cannot read ${name}: its format is ${JSON.stringify(facts["format"])}, this Millrace reads ${FORMAT}`,
    );
  }
  const missing = FACTS.find((member) => typeof facts[member] !== "object");
  if (missing === undefined) return report as unknown as LoadReport;
  throw new LoadInputError(`Cannot read ${name}: "millrace.${missing}" is missing`);
}

function parsed(text: string, name: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new LoadInputError(`Cannot read ${name}: it is no JSON`);
  }
}

function membersOf(value: unknown): Readonly<Record<string, unknown>> | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  return value as Readonly<Record<string, unknown>>;
}
