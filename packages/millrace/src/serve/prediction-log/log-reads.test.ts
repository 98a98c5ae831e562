import { expect, it } from "vitest";
import type { ServiceLogConfig } from "../../config/config.ts";
import { logReadsOf } from "./log-reads.ts";

const LOG: ServiceLogConfig = {
  payload: "full",
  sample: 1,
  fields: undefined,
  unit: undefined,
  attributes: {},
  outlier: undefined,
};
const header = { from: "header", name: "x" } as const;
const body = { from: "body", path: ["x"] } as const;

it.each([
  ["nothing", {}],
  ["head", { unit: header }],
  ["head", { attributes: { a: header } }],
  ["body", { attributes: { a: header, b: body } }],
  ["body", { unit: body, payload: "metadata" as const }],
  ["nothing", { unit: body, payload: "off" as const }],
])("logReadsOf() is %s for %o", (reads, log) => {
  expect(logReadsOf({ ...LOG, ...log })).toBe(reads);
});
