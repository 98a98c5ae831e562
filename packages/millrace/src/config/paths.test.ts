import { expect, it } from "vitest";
import { configJsonSchema } from "./json-schema.ts";
import { listKeys } from "./paths.ts";

const keys = listKeys(configJsonSchema());

it("listKeys() gives every key its variable and flag", () => {
  const key = keys.find(({ text }) => text === "server.log.file.sizeMax");
  expect(key?.environment).toBe("MILLRACE_SERVER_LOG_FILE_SIZE_MAX");
  expect(key?.flag).toBe("--server.log.file.size-max");
  expect(key?.optionalIn).toEqual(["server", "log", "file"]);
});

it("listKeys() lists the keys below maps with the names it is given", () => {
  const named = listKeys(configJsonSchema(), (path) => (path[0] === "models" ? ["iris-svc"] : []));
  const threads = named.find(({ text }) => text === "models.iris-svc.threads");
  expect(threads?.environment).toBe("MILLRACE_MODELS_IRIS_SVC_THREADS");
  expect(threads?.flag).toBe("--models.iris-svc.threads");
});

it("listKeys() lists keys of list items without variable and flag", () => {
  const key = keys.find(({ text }) => text === "server.auth.keys[].secret");
  expect(key).toMatchObject({ environment: undefined, flag: undefined, isRequired: true });
});

it("listKeys() lists what is a word or an object, and then the object's keys", () => {
  const batch = keys.filter(({ text }) => text.startsWith("models.<name>.batch"));
  expect(batch.map(({ text }) => text)).toEqual([
    "models.<name>.batch",
    "models.<name>.batch.rowsMax",
    "models.<name>.batch.delay",
    "models.<name>.batch.oversize",
  ]);
  expect(batch[1]?.environment).toBe("MILLRACE_MODELS_<NAME>_BATCH_ROWS_MAX");
  expect(batch[1]?.flag).toBe("--models.<name>.batch.rows-max");
});

it("listKeys() finds a description for every key", () => {
  const bare = keys.filter(({ node }) => (node.description ?? "") === "");
  expect(bare.map(({ text }) => text)).toEqual([]);
});

it("listKeys() finds a default for every key that is neither required nor may be absent", () => {
  const absent = keys.filter(({ node, isRequired }) => node.default === undefined && !isRequired);
  expect(absent.map(({ text }) => text)).toEqual([
    "name",
    "owner",
    "runbook",
    "log.redact.<name>",
    "log.key",
    "traces.headers",
    "models.<name>.source",
    "models.<name>.sha256",
    "models.<name>.fallback",
    "models.<name>.command",
    "models.<name>.cwd",
    "models.<name>.labels",
    "models.<name>.output",
    "models.<name>.inputs.<name>.names",
    "models.<name>.inputs.<name>.unit",
    "models.<name>.inputs.<name>.range",
    "models.<name>.sample",
    "models.<name>.slo.latencyP99",
    "models.<name>.slo.availability",
    "services.<name>.default",
    "services.<name>.graph",
    "services.<name>.limits.rate",
    "services.<name>.parameters.thresholds",
    "services.<name>.traffic.experiment.unit",
    "services.<name>.traffic.experiment.control",
    "services.<name>.traffic.experiment.weights",
    "services.<name>.traffic.experiment.coverage",
    "services.<name>.traffic.experiment.winner",
    "services.<name>.traffic.experiment.salt",
    "services.<name>.traffic.experiment.metrics.<name>",
    "services.<name>.traffic.experiment.ramp.steps[].hold",
    "services.<name>.traffic.experiment.ramp.steps[].units",
    "services.<name>.traffic.experiment.ramp.steps[].approval",
    "services.<name>.traffic.experiment.ramp.after",
    "services.<name>.traffic.shadow[].name",
    "services.<name>.traffic.shadow[].timeout",
    "services.<name>.log.fields",
    "services.<name>.log.unit",
  ]);
});
