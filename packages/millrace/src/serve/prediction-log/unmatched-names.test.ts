import { expect, it } from "vitest";
import type { Config, ServiceConfig } from "../../config/config.ts";
import type { Predictor } from "../../models/predictor.ts";
import { unmatchedNames } from "./unmatched-names.ts";

const predictor = {
  inputs: [{ name: "x" }, { name: "note" }],
  inputConfig: (name: string) => (name === "x" ? { names: ["age", "email"] } : undefined),
} as unknown as Predictor;

function find(
  redact: readonly string[],
  log: { fields?: string[]; attributes?: object } = {},
  predictors = [predictor],
): string[] {
  const service = { name: "s", log: { attributes: {}, ...log } } as unknown as ServiceConfig;
  const rules = Object.fromEntries(redact.map((name) => [name, { kind: "drop" }]));
  const config = { services: { s: service }, log: { redact: rules } } as unknown as Config;
  return unmatchedNames(config, () => predictors);
}

it("unmatchedNames() takes inputs, columns of inputs and attributes", () => {
  const log = { fields: ["note", "age"], attributes: { region: {} } };
  expect(find(["x", "note", "email", "region"], log)).toEqual([]);
});

it("unmatchedNames() tells of every other name", () => {
  expect(find(["emial", "email"], { fields: ["agee", "age"], attributes: { region: {} } })).toEqual(
    [
      'services.s.log.fields: "agee" is no input of the service and no column of one',
      'log.redact: "emial" is no input, no column of one and no attribute of any service; it holds for attributes of feedback only',
    ],
  );
});

it("unmatchedNames() says nothing while a service cannot answer yet", () => {
  expect(find(["emial"], { fields: ["agee"] }, [])).toEqual([]);
});
