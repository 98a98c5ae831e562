import { mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runCli } from "./run.ts";

describe("millrace load", () => {
  let folder: string;
  let requestCount = 0;
  const server = createServer((_request, response) => {
    requestCount++;
    response.end();
  });
  let url: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "millrace-load-"));
    await writeFile(join(folder, "body.json"), "{}");
    await writeFile(join(folder, "rows.csv"), "a,b\n1,2\n");
    await once(server.listen(0, "127.0.0.1"), "listening");
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  });
  afterAll(async () => {
    server.close();
    await rm(folder, { recursive: true });
  });

  async function run(words: readonly string[]) {
    const printed = { stdout: "", stderr: "" };
    const stream = (name: keyof typeof printed) => ({
      write: (text: string) => (printed[name] += text),
    });
    const io = { stdout: stream("stdout"), stderr: stream("stderr"), env: {}, cwd: folder };
    return { code: await runCli(["load", ...words], io), ...printed };
  }

  it.each([
    ["--rate fast", "--rate: expected a number up to"],
    ["--slo p99<50", "--slo: expected p99 with a limit like 50ms, found"],
    ["--slo p98<50ms", "--slo: expected one of min, mean, p50,"],
    ["--profile steep", "--profile: "],
    ["--rate 0", "--rate: 0 is as fast as possible, and needs --max-workers"],
    ["--clients 3 --rate 5", "--rate: is not for --arrivals closed"],
    ["--body none.json", '--body: there is no file "'],
    ["--root-certs none.pem", '--root-certs: there is no file "'],
    ["--root-certs body.json", "Cannot use the root certificates"],
    ["--cert body.json", "Cannot use the client certificate"],
    ["--json none/r.json", "--json: ENOENT"],
    ["--body body.json --batch 0", "--batch: expected rows of a batch, 1 to"],
    ["--body body.json --data body.json", "rows come from a .csv, .jsonl"],
    ["--body body.json --batch 3", "--batch: no request has {{rows}} in its body"],
    ["--body body.json --data rows.csv", "--data: no request has {{row}}, {{rows}} or"],
    ["--arrivals replay", "--arrivals replay goes with a service"],
    ["--chunked", "--chunked is not supported: bodies are sent with their length"],
    ["--find-capacity --apply", "--apply goes with a service of the Millrace that runs in"],
    ["--find-capacity --slo rate>5/s", "--slo"],
  ])("refuses URL %s and sends nothing", async (words, message) => {
    const { code, stdout, stderr } = await run([url, "--quiet", ...words.split(" ")]);
    expect(stderr).toContain(message);
    expect([code, stdout, requestCount]).toEqual([2, "", 0]);
  });

  it("leaves results of another day alone where nobody answers", async () => {
    await writeFile(join(folder, "old.csv"), "old");
    const { code, stderr } = await run(["http://127.0.0.1:1/", "--quiet", "--output", "old.csv"]);
    expect(stderr).toContain("Cannot connect to http://127.0.0.1:1");
    expect([code, await readFile(join(folder, "old.csv"), "utf8")]).toEqual([1, "old"]);
  });

  it.each([
    ["--targets", "/dev/zero"],
    ["URL --body", "/dev/zero"],
    ["URL --body body.json --data", "endless.csv"],
  ])("refuses %s of a file that has no end", async (options, file) => {
    await symlink("/dev/zero", join(folder, "endless.csv")).catch(() => undefined);
    const words = options.split(" ").map((word) => (word === "URL" ? url : word));
    const { code, stderr } = await run(["--quiet", ...words, file]);
    expect(stderr).toMatch(/(has more|larger) than 256 MiB/);
    expect([code, requestCount]).toEqual([2, 0]);
  });

  it.each([
    [{ detail: "\u001b[2J is no answer" }, "·[2J is no answer"],
    [{ detail: {} }, "answered with status 500, it is no Millrace"],
    [{ code: "MODEL_NOT_FOUND", models: "none" }, 'there is no service "iris" at'],
    [{ code: "MODEL_NOT_FOUND", models: ["\u001b[2J", {}] }, ", there is ·[2J"],
    [null, "answered with status 500, it is no Millrace"],
  ])("says what a server means that answers %j", async (answer, message) => {
    const strange = createServer((_request, response) => {
      response.writeHead(500).end(JSON.stringify(answer));
    });
    await once(strange.listen(0, "127.0.0.1"), "listening");
    const at = `http://127.0.0.1:${(strange.address() as AddressInfo).port}`;
    const { code, stderr } = await run(["iris", "--quiet", "--url", at]);
    strange.close();
    expect(stderr).toContain(message);
    expect(code).toBeGreaterThan(0);
  });

  it.each([
    ["GET\n", "targets.txt:1: expected a method and a URL"],
    ["GET ftp://host/\n", "targets.txt:1: expected a URL like http://localhost:8000/"],
    ["POST http://host/\n@none.json\n", "targets.txt:2: "],
    ["\n", "targets.txt: there are no targets"],
  ])("refuses the targets %j", async (targets, message) => {
    await writeFile(join(folder, "targets.txt"), targets);
    const { code, stderr } = await run(["--targets", "targets.txt", "--quiet"]);
    expect(stderr).toContain(message);
    expect(code).toBe(2);
  });

  it.each([
    ["report none.csv", 'none.csv": there is no such file or folder'],
    ["report body.json", "Cannot read body.json"],
    ["report --type pie body.json", "--type: expected text, json, hist"],
    ["report --every 1s body.json", "--every is not supported"],
    ["report --tipe text body.json", "unknown option --tipe; did you mean --type?"],
    ["encode --to gob body.json", "--to: expected csv or json"],
    ["encode --output none/r body.json", 'none/r": there is no such file or folder'],
    ["compare body.json", "expected two reports of millrace load --json, found 1"],
    ["compare body.json body.json", "Cannot read body.json: it is no report of millrace load"],
    ["compare /dev/zero body.json", "Cannot read /dev/zero: it has more than 64 MiB"],
    ["compare none.json body.json", 'none.json": there is no such file or folder'],
  ])("load %s is wrong use", async (words, message) => {
    const { code, stdout, stderr } = await run(words.split(" "));
    expect(stderr).toContain(message);
    expect([code, stdout]).toEqual([2, ""]);
  });
});
