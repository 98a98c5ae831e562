import { rmSync } from "node:fs";
import { mkdir, mkdtemp, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { releaseJson } from "../control/releases/release-json.ts";
import { runCli } from "./run.ts";
import { EXPERIMENT, SHADOW } from "./test-status.ts";

const stops: (() => void)[] = [];

afterEach(() => {
  for (const stop of stops.splice(0)) stop();
});

/** What a control role would answer, by method and path; anything else is not there. */
async function control(
  answers: Readonly<Record<string, unknown>>,
): Promise<{ readonly url: string; readonly asked: readonly string[] }> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk: Buffer) => (body += chunk.toString()));
    request.on("end", () => {
      const path = `${request.method ?? ""} ${request.url ?? ""}`;
      asked.push(`${path} ${body}`.trim());
      const answer = answers[path];
      response.statusCode = answer === undefined ? 404 : 200;
      const problem = { code: "EXPERIMENT_NOT_FOUND", detail: "Cannot find it: there is e" };
      response.end(JSON.stringify(answer ?? problem));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  stops.push(() => server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}

async function run(...words: string[]) {
  const out: string[] = [];
  const err: string[] = [];
  const code = await runCli(words, {
    stdout: { write: (text) => out.push(text) },
    stderr: { write: (text) => err.push(text) },
    env: { LANG: "C.UTF-8" },
    cwd: tmpdir(),
  });
  return { code, out: out.join(""), err: err.join("") };
}

const STATUS = "GET /api/v1/experiments/rf-2026-11";

describe("millrace experiment", () => {
  it("shows one by its name, or the only one there is", async () => {
    const answers = {
      [STATUS]: releaseJson(EXPERIMENT),
      "GET /api/v1/experiments": { experiments: [releaseJson(EXPERIMENT)] },
    };
    const { url } = await control(answers);
    const named = await run("experiment", "status", "rf-2026-11", "--url", url);
    expect(named).toMatchObject({ code: 0, err: "" });
    expect(named.out).toContain("decision    keep running: purchase is unclear\n");
    expect(named.out).toContain("errors treatment           ◄───");
    expect(await run("experiment", "status", "--url", url)).toEqual(named);
  });

  it("does not guess among several, and says when there is none", async () => {
    const all = [EXPERIMENT, { ...EXPERIMENT, name: "other" }].map(releaseJson);
    const { url } = await control({ "GET /api/v1/experiments": { experiments: all } });
    const { code, err } = await run("experiment", "status", "--url", url);
    expect({ code, err }).toMatchObject({
      code: 2,
      err: expect.stringContaining("rf-2026-11, other") as string,
    });
    const empty = await control({ "GET /api/v1/experiments": { experiments: [] } });
    expect((await run("experiment", "list", "--url", empty.url)).out).toContain("no experiment");
  });

  it("ends with 0 for one that was rolled back: it is asked how things are, not whether they are well", async () => {
    const state = { kind: "rolled_back", why: "errors regressed" };
    const ramp = { ...EXPERIMENT.ramp, state };
    const { url } = await control({ [STATUS]: releaseJson({ ...EXPERIMENT, ramp }) });
    const { code, out } = await run("experiment", "status", "rf-2026-11", "--url", url);
    expect(code).toBe(0);
    expect(out).toContain(
      "rolled back, the control arm gets all traffic\nwhy         errors regressed",
    );
  });

  it("prints the answer as it came with --json", async () => {
    const { url } = await control({ [STATUS]: releaseJson(EXPERIMENT) });
    const { out } = await run("experiment", "status", "rf-2026-11", "--json", "--url", url);
    expect(JSON.parse(out)).toEqual(releaseJson(EXPERIMENT));
  });

  it.each(["start", "pause", "resume", "approve", "abort", "retry"])(
    "%s asks for it with who and why, and says where the ramp is then",
    async (action) => {
      const path = `POST /api/v1/experiments/rf-2026-11/${action}`;
      const { url, asked } = await control({ [path]: releaseJson(EXPERIMENT) });
      const words = ["experiment", action, "rf-2026-11", "--reason", "a test", "--url", url];
      expect(await run(...words)).toEqual({
        code: 0,
        out: "rf-2026-11: running, step 2 of 3 (20 %)\n",
        err: "",
      });
      const [request = ""] = asked;
      expect(request.startsWith(`${path} {`)).toBe(true);
      expect(JSON.parse(request.slice(path.length))).toEqual({
        by: expect.stringMatching(/./) as string,
        reason: "a test",
      });
    },
  );

  it("ends with 2 for an experiment that nobody has, or without a name", async () => {
    const { url } = await control({});
    expect(await run("experiment", "pause", "nope", "--url", url)).toEqual({
      code: 2,
      out: "",
      err: "Cannot find it: there is e\n",
    });
    expect(await run("experiment", "pause", "--url", url)).toMatchObject({
      code: 2,
      err: expect.stringContaining(
        "expected one experiment\nUsage: millrace experiment pause",
      ) as string,
    });
  });

  it("says how to start one where no Millrace runs, and shows an example with --help", async () => {
    const { code, err } = await run("experiment", "list", "--config", "/nowhere/millrace.yaml");
    expect(code).toBe(1);
    expect(err).toContain("millrace up starts one");
    const { out } = await run("experiment", "abort", "--help");
    expect(out).toContain(
      "Examples:\n  millrace experiment abort rf-2026-11 --reason 'complaints'\n",
    );
  });

  it("shows what the log says where no Millrace runs", async () => {
    const folder = await mkdtemp(join(tmpdir(), "millrace-release-"));
    stops.push(() => rmSync(folder, { recursive: true, force: true }));
    const arms = "arms: { control: a, treatment: b }";
    const yaml = `models: { a: a.onnx, b: b.onnx }
services: { x: { graph: a, traffic: { experiment: { name: e, ${arms} }, shadow: [{ to: b }] } } }`;
    await writeFile(join(folder, "millrace.yaml"), yaml);
    expect(await run("experiment", "status", "--config", folder)).toMatchObject({
      code: 1,
      err: expect.stringContaining("it begins with the first prediction") as string,
    });
    await mkdir(join(folder, ".millrace", "log"), { recursive: true });
    const experiment = await run("experiment", "status", "--config", folder);
    expect(experiment).toMatchObject({ code: 0, err: "" });
    expect(experiment.out).toContain("experiment  e of service x, phase 1\n");
    expect(experiment.out).toMatch(
      /^problem {5}no Millrace with a control role runs here, millrace/m,
    );
    const shadow = await run("shadow", "status", "b", "--json", "--config", folder);
    expect(JSON.parse(shadow.out)).toMatchObject({ name: "b", analysis: { pairs: 0 } });
    const nope = await run("shadow", "status", "nope", "--config", folder);
    expect(nope).toMatchObject({ code: 2, err: 'Cannot find shadow "nope": there is b\n' });
  });
});

describe("millrace shadow", () => {
  it("shows one, lists them, and excludes and includes them", async () => {
    const { url } = await control({
      "GET /api/v1/shadows/rf": releaseJson(SHADOW),
      "GET /api/v1/shadows": { shadows: [releaseJson(SHADOW)] },
      "POST /api/v1/shadows/rf/exclude": releaseJson({ ...SHADOW, isExcluded: true }),
      "POST /api/v1/shadows/rf/include": releaseJson(SHADOW),
    });
    const status = await run("shadow", "status", "rf", "--url", url);
    expect(status).toMatchObject({ code: 0, err: "" });
    expect(status.out).toContain("verdict     pass: all it has to keep to is kept\n");
    expect((await run("shadow", "list", "--url", url)).out).toContain("rf      iris     iris-rf");
    const excluded = await run("shadow", "exclude", "rf", "--url", url);
    expect(excluded.out).toBe("rf: excluded, it gets nothing\n");
    expect((await run("shadow", "include", "rf", "--url", url)).out).toBe("rf: running\n");
  });
});
