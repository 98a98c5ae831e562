import type { LoadReport, ObjectiveResult } from "../../core/load/load-report.ts";

/** JUnit XML for a build server: a case for each objective, and one for whether the figures may be trusted. */
export function junitReport({ millrace: facts }: LoadReport): string {
  const failures = facts.objectives.filter(({ met }) => !met).length;
  const counts = `tests="${facts.objectives.length + 1}" failures="${failures}" errors="${facts.valid ? 0 : 1}" skipped="0"`;
  const seconds = (facts.duration_ms / 1000).toFixed(3);
  const place = { className: `millrace.load.${facts.name}`, seconds };
  const lines = [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="millrace load" ${counts} time="${seconds}">`,
    `  <testsuite name="${escaped(facts.name)}" ${counts} time="${seconds}" timestamp="${escaped(facts.started)}">`,
    ...propertyLines(facts),
    ...validityCase(facts, place),
    ...facts.objectives.flatMap((objective) => objectiveCase(objective, place)),
    "  </testsuite>",
    "</testsuites>",
  ];
  return `${lines.join("\n")}\n`;
}

type Facts = LoadReport["millrace"];

interface Place {
  readonly className: string;
  readonly seconds: string;
}

function propertyLines({ targets, arrivals, protocol, seed, command }: Facts): readonly string[] {
  const properties = {
    command,
    protocol,
    arrivals,
    seed: String(seed),
    targets: targets.join(" "),
  };
  return [
    "    <properties>",
    ...Object.entries(properties).map(
      ([name, value]) => `      <property name="${name}" value="${escaped(value)}"/>`,
    ),
    "    </properties>",
  ];
}

/** An error and no failure: nothing is known of the service when the generator spoiled the figures. */
function validityCase({ valid, problems }: Facts, place: Place): readonly string[] {
  const message = problems.map(({ text }) => text).join("; ");
  const outcome = valid ? undefined : `<error type="invalid" message="${escaped(message)}"/>`;
  return testCase("the run is valid", place, outcome);
}

function objectiveCase(result: ObjectiveResult, place: Place): readonly string[] {
  const message = `expected ${result.objective}, found ${result.found}`;
  const outcome = result.met
    ? undefined
    : `<failure type="objective" message="${escaped(message)}"/>`;
  return testCase(result.objective, place, outcome);
}

function testCase(
  name: string,
  { className, seconds }: Place,
  outcome: string | undefined,
): readonly string[] {
  const head = `    <testcase classname="${escaped(className)}" name="${escaped(name)}" time="${seconds}"`;
  return outcome === undefined
    ? [`${head}/>`]
    : [`${head}>`, `      ${outcome}`, "    </testcase>"];
}

const ENTITIES: ReadonlyMap<string, string> = new Map([
  ["&", "&amp;"],
  ["<", "&lt;"],
  [">", "&gt;"],
  ['"', "&quot;"],
  ["\t", "&#9;"],
  ["\n", "&#10;"],
  ["\r", "&#13;"],
]);

// oxlint-disable-next-line no-control-regex -- they are what it is about
const NOT_PLAIN = /[&<>"\u0000-\u001f\ufffe\uffff]/gu;

/** For an attribute. What no XML document may have becomes U+FFFD. */
function escaped(text: string): string {
  return text.toWellFormed().replace(NOT_PLAIN, (character) => ENTITIES.get(character) ?? "\ufffd");
}
