import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { copyExample, eventually, MillraceProcess, ROOT } from "../../test/e2e/millrace-process.ts";
import { freePort } from "../../test/free-port.ts";
import { expectGolden, postJson } from "../golden.ts";
import { describeReadme } from "../run-readme.ts";

describeReadme("remote-tensorflow-serving", { TF_PORT: String(await freePort()) });

const STAND_IN = join(ROOT, "examples/remote-tensorflow-serving/tf-serving-stand-in.ts");

async function startStandIn(port: number): Promise<ChildProcess> {
  const env = { ...process.env, TF_PORT: String(port) };
  const child = spawn(process.execPath, [STAND_IN], { env, stdio: ["ignore", "pipe", "inherit"] });
  const ended = once(child, "exit").then(() => Promise.reject(new Error("it ended at once")));
  await Promise.race([once(child.stdout, "data"), ended]);
  ended.catch(() => undefined); // that is how each of them ends
  return child;
}

interface Reply {
  readonly prediction: unknown;
  readonly code: string;
  readonly detail: string;
}

describe("remote-tensorflow-serving", () => {
  let example: { path: string; remove: () => Promise<void> };
  let port: number;
  let standIn: ChildProcess;
  let millrace: MillraceProcess;

  beforeAll(async () => {
    example = await copyExample("remote-tensorflow-serving");
    port = await freePort();
    standIn = await startStandIn(port);
    const env = { TF_PORT: String(port) };
    millrace = await MillraceProcess.start(["up", example.path], { env });
  });
  afterAll(async () => {
    standIn.kill();
    await millrace.stop();
    await example.remove();
  });

  const ask = async (rows: readonly (readonly number[])[]) =>
    postJson<Reply>(`${millrace.url}/predict`, { data: rows });

  it("gives exp(-distance² / 2) to each class mean, normalised", async () => {
    const rows = [
      [5.1, 3.5, 1.4, 0.2],
      [6.7, 3.0, 5.2, 2.3],
    ];
    const { status, body } = await ask(rows);
    expect(status).toBe(200);
    expectGolden(body.prediction, [
      [0.9951678, 0.0048224, 0.0000099],
      [0.0000205, 0.244463, 0.7555166],
    ]);
  });

  it("answers again by itself when the other server was away", async () => {
    const exited = once(standIn, "exit");
    standIn.kill();
    await exited;
    const { status, body } = await ask([[5.1, 3.5, 1.4, 0.2]]);
    expect([status, body.code]).toEqual([502, "REMOTE_FAILED"]);
    expect(body.detail).toContain('remote "iris" cannot be reached');
    standIn = await startStandIn(port);
    await eventually(async () => (await ask([[5.1, 3.5, 1.4, 0.2]])).status === 200, "an answer");
  });
});
