import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { check } from "./check.ts";
import { parseCommandLine } from "./command.ts";

const FIXTURE = join(import.meta.dirname, "../../../../test/fixtures/models/identity-fp32.onnx");

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "millrace-check-"));
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

/** What `millrace check` prints and ends with, for this file. */
async function checkFile(yaml: string) {
  await writeFile(join(folder, "millrace.yaml"), yaml);
  let stdout = "";
  let stderr = "";
  const io = {
    stdout: { write: (text: string) => (stdout += text) },
    stderr: { write: (text: string) => (stderr += text) },
    env: {},
    cwd: folder,
  };
  const code = await check.run(parseCommandLine([], check), io);
  return { code, stdout, stderr };
}

it("check warns of more threads than any machine has and of a delay that eats the objective, and is content", async () => {
  const { code, stdout, stderr } = await checkFile(
    [
      "server: { processes: 256 }",
      "models:",
      `  echo: { source: ${JSON.stringify(FIXTURE)}, threads: 8, batch: { delay: 9ms }, slo: { latencyP99: 10ms } }`,
    ].join("\n"),
  );
  const [threads, delay] = stderr.split("\n");
  expect(threads).toMatch(
    /^millrace.yaml:1:22: models.echo.threads 8 × models.echo.instances 1 × server.processes 256 = 2048 threads for \d+ cores?, /,
  );
  expect(delay).toMatch(/^millrace.yaml:3:\d+: models.echo.batch.delay 9ms is more than half/);
  expect([code, stdout]).toEqual([0, "echo: loads\n"]);
});

it("check says nothing of a file that fits the machine", async () => {
  const { code, stderr } = await checkFile(`models: { echo: ${JSON.stringify(FIXTURE)} }`);
  expect([code, stderr]).toEqual([0, ""]);
});
