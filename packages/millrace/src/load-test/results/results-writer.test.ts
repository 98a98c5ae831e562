import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { PassThrough, Writable } from "node:stream";
import { describe, expect, it } from "vitest";
import { jsonReport } from "../reports/json-report.ts";
import { readResults } from "./read-results.ts";
import { ResultsWriter } from "./results-writer.ts";
import { tallyResults } from "./tally-results.ts";
import { measureLoad } from "../measure-load.ts";
import { testLoadPlan } from "../test-load-plan.ts";
import type { LoadTarget } from "../payloads/load-target.ts";
import { RESULT, RESULT_COLUMNS, type ResultBlock } from "../result-block.ts";

const STARTED_MS = 1_790_157_600_000.25;

const TARGETS: readonly LoadTarget[] = ["a", "b"].map((name) => ({
  method: "POST",
  url: `http://h/${name}`,
  headers: [],
  body: [],
  weight: 1,
}));

/** Results due every ms, of 2 ms and 3 µs; every other one fails. */
function blockOf(count: number): ResultBlock {
  const values = new Float64Array(count * RESULT_COLUMNS);
  for (let i = 0; i < count; i++) {
    const at = i * RESULT_COLUMNS;
    values[at + RESULT.seq] = i;
    values[at + RESULT.target] = i % 2;
    values[at + RESULT.intendedMs] = i;
    values[at + RESULT.sentMs] = i + 0.5;
    values[at + RESULT.firstByteMs] = i + 1;
    values[at + RESULT.doneMs] = i + 2.003;
    values[at + RESULT.code] = i % 2 === 0 ? 200 : 503;
    values[at + RESULT.bytesOut] = 5;
    values[at + RESULT.bytesIn] = 7;
    values[at + RESULT.error] = i % 2;
  }
  const thread = { thread: 0, cpu: 0, measuredMs: 100, underWay: 0, connectionsPeak: 1 };
  return { values, count, errors: ["503 Service Unavailable"], dropped: [], thread };
}

function writerTo(output: Writable, format: "csv" | "json" = "csv"): ResultsWriter {
  return new ResultsWriter(output, { format, attack: "iris", targets: TARGETS });
}

describe("ResultsWriter", () => {
  it("writes a line for each result, by the time it was due", async () => {
    const output = new PassThrough();
    const writer = writerTo(output);
    writer.add(blockOf(2), STARTED_MS);
    writer.add(blockOf(0), STARTED_MS);
    expect(await writer.close()).toEqual({ written: 2, leftOut: 0 });
    expect((output.read() as Buffer).toString()).toBe(
      "1790157600000250000,200,2003000,5,7,,,iris,0,POST,http://h/a,\n" +
        "1790157600001250000,503,2003000,5,7,503 Service Unavailable,,iris,1,POST,http://h/b,\n",
    );
  });

  it.each(["csv", "json"] as const)("gives %s whose report is that of the run", async (format) => {
    const server = createServer((request, response) => {
      request.resume();
      response.statusCode = [200, 302, 503][served++ % 3] ?? 500;
      response.end("0123456789");
    });
    let served = 0;
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const output = new PassThrough({ highWaterMark: 1024 * 1024 });
    const plan = testLoadPlan(`http://127.0.0.1:${port}/?a=<b>`);
    const writer = new ResultsWriter(output, { format, attack: plan.name, targets: plan.targets });
    const { millrace: facts, ...metrics } = await measureLoad({
      plan,
      objectives: [],
      command: "",
      onResults: (block, startedAtMs) => writer.add(block, startedAtMs),
    });
    server.close();
    expect(await writer.close()).toEqual({ written: facts.starts.sent, leftOut: 0 });
    const read = await tallyResults(readResults(output, "results"));
    expect(metrics.requests).toBe(50);
    expect(jsonReport(read.metrics())).toBe(jsonReport(metrics));
  });

  it("leaves out, and counts, what an output that stands still has no room for", async () => {
    const written: Buffer[] = [];
    let goOn: () => void = () => undefined;
    const output = new Writable({
      write(chunk: Buffer, _encoding, done) {
        written.push(chunk);
        if (written.length === 1) goOn = done;
        else done();
      },
    });
    const writer = writerTo(output);
    const block = blockOf(20_000);
    const bytes = 75 * block.count;
    for (let i = 0; i < 100; i++) writer.add(block, STARTED_MS);
    expect(output.writableLength).toBeGreaterThan(64 * 1024 * 1024);
    expect(output.writableLength).toBeLessThan(64 * 1024 * 1024 + 2 * bytes);
    goOn();
    const { written: kept, leftOut } = await writer.close();
    expect(kept + leftOut).toBe(100 * block.count);
    expect(leftOut).toBeGreaterThan(0);
    const lines = Buffer.concat(written).toString().split("\n").length - 1;
    expect(lines).toBe(kept);
  });

  it("tells at the end that the output failed", async () => {
    const output = new Writable({
      write: (_chunk, _encoding, done) => done(new Error("no space left")),
    });
    const writer = writerTo(output);
    writer.add(blockOf(1), STARTED_MS);
    await new Promise((resolve) => setImmediate(resolve));
    writer.add(blockOf(1), STARTED_MS);
    await expect(writer.close()).rejects.toThrow("no space left");
  });
});
