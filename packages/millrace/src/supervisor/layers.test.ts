import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { loadConfig } from "../config/load.ts";
import { layWhatFits } from "./layers.ts";

const folder = mkdtempSync(join(tmpdir(), "millrace-layers-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it("layWhatFits() sets nothing aside because a label file has gone, and says which", async () => {
  const labels = join(folder, "labels.txt");
  writeFileSync(labels, "setosa\nvirginica\n");
  const input = { models: { iris: { source: "iris.onnx", labels } } };
  const file = await loadConfig({ input, flags: [], env: {}, cwd: folder });
  if (file.kind === "invalid") throw new Error("Cannot load the file");
  const facts = { version: 1, by: "ann", reason: "", setAtMs: 0, expiresAtMs: undefined };
  const queue = { path: "services.iris.limits.queue", value: 5, ...facts };
  const gone = { path: "services.other.timeout", value: "1s", ...facts };
  const overrides = { version: 1, overrides: [queue, gone] };

  const layers = await layWhatFits(file, overrides);
  expect(layers.setAside).toMatchObject([{ path: gone.path }]);
  expect(layers.config.services["iris"]?.limits.queue).toBe(5);

  rmSync(labels);
  await expect(layWhatFits(file, overrides)).rejects.toThrow(/label file .* does not exist/);
});
