import type { LoadEnvironment, LoadFacts } from "./load-report.ts";

/** Facts of a test that have to be the same in both, and what they are called. */
const PLAN = [
  ["arrivals", ({ arrivals }) => arrivals],
  ["protocol", ({ protocol }) => protocol],
  ["targets", ({ targets }) => targets.join(", ")],
  ["warm-up", ({ warmup_ms }) => `${warmup_ms} ms`],
] as const satisfies readonly (readonly [string, (facts: LoadFacts) => string])[];

const ENVIRONMENT = [
  ["CPU", "cpu"],
  ["cores", "cores"],
  ["memory", "memory_mib"],
  ["operating system", "os"],
  ["Node.js of the generator", "node"],
  ["Millrace of the generator", "millrace"],
] as const satisfies readonly (readonly [string, keyof LoadEnvironment])[];

/** Processes that want a core, of all cores, before a test: other work than the test's own. */
const LOAD_MAX = 0.5;

/** MiB that two readings of the same machine may differ by. */
const MEMORY_TOLERANCE_MIB = 64;

/** Times the shorter test fits into the longer one, before one of them saw what the other could not. */
const DURATION_RATIO_MAX = 2;

/** What makes two load tests hard to compare, each as a sentence without its stop. */
export function comparisonWarnings(before: LoadFacts, after: LoadFacts): readonly string[] {
  return [
    ...invalid("first", before),
    ...invalid("second", after),
    ...PLAN.flatMap(([name, textOf]) => differing(name, textOf(before), textOf(after))),
    ...durations(before, after),
    ...ENVIRONMENT.flatMap(([name, key]) => {
      const [first, second] = [before.environment[key], after.environment[key]];
      const isNear =
        key === "memory_mib" && Math.abs(Number(first) - Number(second)) <= MEMORY_TOLERANCE_MIB;
      return isNear ? [] : differing(name, String(first), String(second));
    }),
    ...busy("first", before),
    ...busy("second", after),
  ];
}

function invalid(which: string, { valid, problems }: LoadFacts): readonly string[] {
  if (valid) return [];
  return [`the ${which} test is not valid (${problems.map(({ code }) => code).join(", ")})`];
}

function differing(name: string, first: string, second: string): readonly string[] {
  return first === second ? [] : [`${name}: ${first} in the first, ${second} in the second`];
}

function durations(before: LoadFacts, after: LoadFacts): readonly string[] {
  const [first, second] = [before.duration_ms, after.duration_ms];
  const isFar = Math.max(first, second) > DURATION_RATIO_MAX * Math.min(first, second);
  return isFar ? differing("duration", `${first} ms`, `${second} ms`) : [];
}

function busy(which: string, { environment }: LoadFacts): readonly string[] {
  const { load_average: load, cores } = environment;
  if (load <= LOAD_MAX * cores) return [];
  return [`the machine was busy before the ${which} test: load ${load} on ${cores} cores`];
}
