import { expect, it } from "vitest";
import { ConfigTree } from "./config-tree.ts";
import type { PlainObject } from "./config-tree.ts";
import { configJsonSchema } from "./json-schema.ts";
import { ENVIRONMENT, FLAGS, matchPaths } from "./key-match.ts";

const root = configJsonSchema();

function treeOf(values: PlainObject): ConfigTree {
  return new ConfigTree({
    file: undefined,
    values,
    positionOf: () => undefined,
    templates: new Map(),
  });
}

it.each([
  ["SERVER_HTTP_PORT", ["server", "httpPort"]],
  ["SERVER_LOG_FILE_SIZE_MAX", ["server", "log", "file", "sizeMax"]],
  ["MODELS_IRIS_SVC_THREADS", ["models", "iris-svc", "threads"]],
  ["MODELS_IRIS_THREADS", ["models", "iris", "threads"]],
  ["MODELS_RESNET50V2_SHA256", ["models", "Resnet50V2", "sha256"]],
  ["MODELS_IRIS", ["models", "iris"]],
])("matchPaths() finds the key of variable %s", (text, path) => {
  const tree = treeOf({ models: { iris: {}, "iris-svc": {}, Resnet50V2: {} } });
  expect(matchPaths(text, ENVIRONMENT, root, tree)).toEqual([path]);
});

it("matchPaths() finds no key for a variable with an unknown name", () => {
  expect(matchPaths("MODELS_OTHER_THREADS", ENVIRONMENT, root, treeOf({}))).toEqual([]);
});

it("matchPaths() finds every key an ambiguous variable can mean", () => {
  const tree = treeOf({ models: { "a-b": {}, a_b: {} } });
  expect(matchPaths("MODELS_A_B_THREADS", ENVIRONMENT, root, tree)).toHaveLength(2);
});

it.each([
  ["server.http-port", ["server", "httpPort"]],
  ["server.httpPort", ["server", "httpPort"]],
  ["models.iris.v1.threads", ["models", "iris.v1", "threads"]],
  ["models.new.source", ["models", "new", "source"]],
  ["models.new", ["models", "new"]],
  ["server.log.level.batch", ["server", "log", "level", "batch"]],
  ["models.iris.v1.inputs.x.unit", ["models", "iris.v1", "inputs", "x", "unit"]],
])("matchPaths() finds the key of flag --%s", (text, path) => {
  const tree = treeOf({ models: { "iris.v1": {} } });
  expect(matchPaths(text, FLAGS, root, tree)).toEqual([path]);
});

it.each(["server.http_port", "server", "servers.host", "models.__proto__.threads", "models."])(
  "matchPaths() finds no single value for flag --%s",
  (text) => {
    const paths = matchPaths(text, FLAGS, root, treeOf({}));
    expect(paths.filter((path) => path.length > 1)).toEqual([]);
  },
);
