import { expect, it } from "vitest";
import { coerce } from "./coerce.ts";
import { configJsonSchema } from "./json-schema.ts";
import { nodeAt } from "./schema-node.ts";

const root = configJsonSchema();

it.each([
  ["server.httpPort", "9000", 9000],
  ["server.metricsPort", "off", "off"],
  ["server.metricsPort", "0", 0],
  ["server.processes", "auto", "auto"],
  ["server.drain", "5s", "5s"],
  ["models.iris.required", "false", false],
  ["models.iris.labels", "setosa, versicolor", ["setosa", "versicolor"]],
  ["models.iris.labels", "labels.txt", "labels.txt"],
  ["models.iris.serve", "1,2", [1, 2]],
  ["models.iris.serve", "[1, 2]", [1, 2]],
  ["models.iris.serve", "3", [3]],
  ["models.iris.serve", "latst", "latst"],
  ["models.iris.inputs.x.range", "0,2.5", [0, 2.5]],
  ["models.iris.sample", "[[5.1, 3.5]]", [[5.1, 3.5]]],
  ["models.iris.sample", "@sample.json", "@sample.json"],
  ["models.iris.reload", "poll: 30s", "poll: 30s"],
  ["models.iris.reload", '{"poll":"30s"}', { poll: "30s" }],
  ["models.iris.output", "123", "123"],
  ["models.iris.batch", "off", "off"],
  ["models.iris.batch", '{"rowsMax":2}', { rowsMax: 2 }],
  ["models.iris.slo.availability", "0.999", 0.999],
  ["models.iris.slo.availability", "99.9%", "99.9%"],
  ["services.iris.limits.rate", "2000/s", "2000/s"],
  ["services.iris.overload", '{"reply":[0,1]}', { reply: [0, 1] }],
  ["services.iris.overload.reply", '{"prediction":null}', { prediction: null }],
  ["services.iris.overload.reply", "Sorry, busy", "Sorry, busy"],
  ["server.cors.origins", "https://a", ["https://a"]],
  ["server.auth.keys.0.secret", "[5]", "[5]"],
])("coerce() makes of the text for %s %j what the schema wants", (path, text, value) => {
  const segments = path.split(".").map((part) => (/^\d+$/.test(part) ? Number(part) : part));
  const node = nodeAt(root, segments);
  expect(node).toBeDefined();
  expect(coerce(text, node ?? {})).toEqual(value);
});

it("coerce() leaves a text that fits nothing for the schema to refuse", () => {
  expect(coerce("abc", { type: "integer" })).toBe("abc");
  expect(coerce("yes", { type: "boolean" })).toBe("yes");
  expect(coerce("[1,", { type: "array" })).toBe("[1,");
});
