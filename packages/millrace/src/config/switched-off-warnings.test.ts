import { tmpdir } from "node:os";
import { expect, it } from "vitest";
import { loadConfig } from "./load.ts";
import type { ConfigInput } from "./schema.ts";

it("switchedOffWarnings() names what is off, and where that is said", async () => {
  const graph = { parallel: { setosa: "a", versicolor: "b" } };
  const input: ConfigInput = {
    models: { a: "a.onnx", b: "b.onnx" },
    services: {
      iris: { graph, parameters: { activate: { setosa: true } } },
      old: { graph, parameters: { activate: false } },
      on: { graph: "a", parameters: { activate: true } },
    },
  };
  const env = { ACTIVATE_VERSICOLOR: "0" };
  const flags = ["--services.old.parameters.activate", "false"];
  const result = await loadConfig({ input, flags, env, cwd: tmpdir() });
  expect(result).toMatchObject({
    kind: "ok",
    warnings: [
      {
        message: 'branch "versicolor" of service "iris" is switched off',
        location: "environment ACTIVATE_VERSICOLOR",
      },
      {
        message: 'service "old" is switched off',
        location: "flag --services.old.parameters.activate",
      },
    ],
  });
});
