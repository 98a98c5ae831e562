import { expect, it } from "vitest";
import { interpolate, maskTemplates, unmaskTemplates } from "./interpolate.ts";
import { configJsonSchema } from "./json-schema.ts";

const root = configJsonSchema();

it("interpolate() replaces variables and takes the default of those unset or empty", () => {
  const values = { owner: "${A}", runbook: "${B:-docs}/${C:-x}" };
  const result = interpolate(values, root, { A: "ann", B: "" });
  expect(result.values).toEqual({ owner: "ann", runbook: "docs/x" });
  expect(result.problems).toEqual([]);
});

it("interpolate() makes of the text what the schema wants at its place", () => {
  const values = { server: { httpPort: "${PORT}" }, models: { a: { threads: "${N:-2}" } } };
  expect(interpolate(values, root, { PORT: "9000" }).values).toEqual({
    server: { httpPort: 9000 },
    models: { a: { threads: 2 } },
  });
});

it("interpolate() reports every variable that is not set, with its path", () => {
  const result = interpolate({ owner: "${A}", server: { host: "${B}" } }, root, {});
  expect(result.problems.map(({ path }) => path)).toEqual([["owner"], ["server", "host"]]);
  expect(result.problems[0]?.message).toContain("environment variable A is not set");
});

it("interpolate() keeps $${NAME} as ${NAME} and refuses what is no variable", () => {
  const result = interpolate({ owner: "$${A}", runbook: "${1-2}" }, root, {});
  expect(result.values["owner"]).toBe("${A}");
  expect(result.problems[0]?.message).toContain('found "${1-2}"');
});

it("interpolate() does not replace inside a value it has put in", () => {
  expect(interpolate({ owner: "${A}" }, root, { A: "${B}" }).values).toEqual({ owner: "${B}" });
});

it("interpolate() refuses what is not plain data", () => {
  const values = { owner: () => 1, runbook: new Date(0), name: 5n };
  const result = interpolate(values, root, {});
  expect(result.problems.map(({ message }) => message)).toEqual([
    "found a function, expected plain data",
    "found an object with behaviour, expected plain data",
    "found a bigint, expected plain data",
  ]);
});

it("interpolate() ends on a value that contains itself", () => {
  const loop: unknown[] = [];
  loop.push(loop);
  expect(interpolate({ owner: loop }, root, {}).problems[0]?.message).toContain(
    "nested too deeply",
  );
});

it("interpolate() refuses the key __proto__", () => {
  const values = JSON.parse('{"models":{"__proto__":{"threads":9}}}') as Record<string, unknown>;
  const result = interpolate(values, root, {});
  expect(result.problems[0]?.path).toEqual(["models", "__proto__"]);
  expect(({} as Record<string, unknown>)["threads"]).toBeUndefined();
});

it("maskTemplates() keeps every position and unmaskTemplates() undoes it", () => {
  const yaml = "a: { b: ${X:-{a, b: c}, c: 1 } # ${Y}\n";
  const masked = maskTemplates(yaml);
  expect(masked).toHaveLength(yaml.length);
  expect(masked).not.toContain("${");
  expect(unmaskTemplates(masked)).toBe(yaml);
});
