import { expect, it } from "vitest";
import { configJsonSchema } from "./json-schema.ts";
import { nodeAt } from "./schema-node.ts";

it("configJsonSchema() says default, range, unit and liveness of a key", () => {
  const root = configJsonSchema();
  expect(nodeAt(root, ["server", "httpPort"])).toMatchObject({
    type: "integer",
    default: 8000,
    minimum: 0,
    maximum: 65_535,
    live: false,
  });
  expect(nodeAt(root, ["services", "iris", "timeout"])).toMatchObject({
    type: "string",
    default: "2s",
    unit: "ms, s, m, h, d",
    range: "1ms to 1d",
    live: true,
  });
  expect(nodeAt(root, ["services", "iris", "limits", "queue"])).toMatchObject({
    default: 1000,
    unit: "requests",
    live: true,
  });
  expect(nodeAt(root, ["models", "iris", "batch", "delay"])).toMatchObject({
    default: "0ms",
    range: "0ms to 10s",
    live: false,
  });
  expect(nodeAt(root, ["models", "iris", "reload"])?.default).toBe("watch");
});

it("configJsonSchema() describes the file as it is written: with text for durations and no unknown key", () => {
  const root = configJsonSchema();
  expect(root.additionalProperties).toBe(false);
  expect(nodeAt(root, ["server", "drain"])?.type).toBe("string");
  expect(nodeAt(root, ["server", "nope"])).toBeUndefined();
});

it("nodeAt() follows a node that contains itself to any depth", () => {
  const root = configJsonSchema();
  const when = ["services", "iris", "traffic", "rules", 0, "when"];
  const timeZone = [...when, "all", 3, "not", "any", 0, "time", "timeZone"];
  expect(nodeAt(root, timeZone)).toMatchObject({ type: "string", live: true });
  expect(nodeAt(root, [...when, "all", 3, "nope"])).toBeUndefined();
});
