import { existsSync, readdirSync, readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ask, openRequest, type Answer, type OpenRequest } from "./http-client.ts";
import {
  eventually,
  isRunning,
  MillraceProcess,
  runMillrace,
  type LogLine,
} from "./millrace-process.ts";
import { readMetrics } from "./prometheus.ts";
import { freePort } from "../free-port.ts";
import { fixture, IRIS, IRIS_V2, SETOSA, takePort, Workspace } from "./workspace.ts";

const LABELS = "labels: [setosa, versicolor, virginica]";
const SLOW_ROW = [[1, 2, 3, 4]];

const PLAIN_FILE = `
models:
  iris: { source: ./iris.onnx, ${LABELS}, sample: [[5.1, 3.5, 1.4, 0.2]] }
  slow: ./slow.onnx
services:
  iris: { default: true, timeout: 20s }
  slow: { timeout: 20s }
`;

function folderWith(file: string): Workspace {
  return new Workspace({
    "millrace.yaml": file,
    "iris.onnx": IRIS,
    "slow.onnx": fixture("slow.onnx"),
  });
}

function predictSlow({ url }: MillraceProcess): Promise<Answer> {
  return ask(url, "/services/slow/predict", { body: { data: SLOW_ROW } });
}

function predictIris({ url }: MillraceProcess): Promise<Answer> {
  return ask(url, "/predict", { body: { data: SETOSA } });
}

/** Requests that are in flight for sure, whichever process has them. */
function openRequests({ url }: MillraceProcess, count: number): Promise<OpenRequest[]> {
  return Promise.all(
    Array.from({ length: count }, () => openRequest(url, "/predict", { data: SETOSA })),
  );
}

/** Finishes them. @returns their status codes. */
async function finishAll(requests: readonly OpenRequest[]): Promise<number[]> {
  const replies = await Promise.all(requests.map((request) => request.finish()));
  return replies.map(({ status }) => status);
}

describe("millrace up", () => {
  let folder: Workspace;
  let server: MillraceProcess;
  beforeAll(async () => {
    folder = folderWith(`server: { processes: 2, log: { access: all } }\n${PLAIN_FILE}`);
    server = await MillraceProcess.start(["up"], { cwd: folder.path });
  });
  afterAll(async () => {
    await server.stop();
    folder[Symbol.dispose]();
  });

  it("starts as many processes as the file says, and all of them answer on the one port", async () => {
    expect(server.facts.processes).toBe(2);
    expect(server.servePids).toHaveLength(2);
    const answering = await eventually(async () => {
      expect((await predictIris(server)).status).toBe(200);
      const pids = server.logLines
        .filter(({ logger }) => logger === "access")
        .map(({ pid }) => pid);
      return new Set(pids).size === 2 && [...new Set(pids)];
    }, "an answer of each process");
    expect(new Set(answering)).toEqual(new Set(server.servePids));
  });

  it("logs each request with its id, model version and timings when access is all", async () => {
    const headers = { "x-request-id": "access-1" };
    const { headers: reply } = await ask(server.url, "/predict", {
      headers,
      body: { data: SETOSA },
    });
    const line = await server.logLine(({ requestId }) => requestId === "access-1");
    expect(line).toMatchObject({
      logger: "access",
      level: "info",
      method: "POST",
      route: "/predict",
      status: 200,
      model: "iris@1",
      predictionId: reply["x-prediction-id"],
      ms: expect.any(Number) as number,
      queueMs: expect.any(Number) as number,
      inferMs: expect.any(Number) as number,
    });
    await ask(server.url, "/predict", { headers: { "x-request-id": "access-2" }, body: "[[" });
    const failed = await server.logLine(({ requestId }) => requestId === "access-2");
    expect(failed).toMatchObject({ status: 400, code: "INVALID_JSON" });
  });

  it("serves Prometheus text with the promised names", async () => {
    const reply = await fetch(server.facts.metrics ?? "");
    expect(reply.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
    const { types } = await readMetrics(server.facts.metrics);
    expect(Object.fromEntries(types)).toMatchObject({
      inference_requests_total: "counter",
      inference_request_duration_seconds: "histogram",
      inference_queue_duration_seconds: "histogram",
      inference_compute_duration_seconds: "histogram",
      inference_batch_rows: "histogram",
      inference_inflight: "gauge",
      inference_queue_rows: "gauge",
      inference_rejected_total: "counter",
      model_load_seconds: "histogram",
      model_ready: "gauge",
      event_loop_lag_seconds: "gauge",
      process_cpu_seconds_total: "counter",
      process_resident_memory_bytes: "gauge",
      process_start_time_seconds: "gauge",
    });
  });

  it("counts requests exactly, across processes", async () => {
    const before = await readMetrics(server.facts.metrics);
    const post = (path: string, body: object): Promise<Answer> => ask(server.url, path, { body });
    const infer = (rows: number): object => ({
      inputs: [
        {
          name: "float_input",
          datatype: "FP32",
          shape: [rows, 4],
          data: Array.from({ length: rows * 4 }, () => 1),
        },
      ],
    });
    await Promise.all([
      ...Array.from({ length: 12 }, () => post("/predict", { data: SETOSA })),
      ...Array.from({ length: 5 }, () => post("/predict/label", { data: SETOSA })),
      ...Array.from({ length: 3 }, () => ask(server.url, "/predict/test")),
      ...Array.from({ length: 4 }, () => post("/v2/models/iris/infer", infer(10))),
      ...Array.from({ length: 2 }, () => post("/v1/models/iris:predict", { instances: SETOSA })),
      post("/invocations", { inputs: SETOSA }),
      post("/predict", { data: [[1]] }),
      post("/v2/models/iris/versions/77/infer", infer(1)),
    ]);
    const after = await readMetrics(server.facts.metrics);
    const added = (name: string, labels: Record<string, string>): number =>
      after.sum(name, labels) - before.sum(name, labels);
    const iris = { service: "iris", model: "iris", version: "1" };
    expect(added("inference_requests_total", { ...iris, role: "primary", code: "ok" })).toBe(27);
    expect(added("inference_request_duration_seconds_count", iris)).toBe(27);
    expect(added("inference_queue_duration_seconds_count", iris)).toBe(27);
    expect(added("inference_compute_duration_seconds_count", iris)).toBe(27);
    expect(added("inference_batch_rows_sum", { model: "iris" })).toBe(23 + 40);
    expect(added("inference_requests_total", { service: "iris", code: "MODEL_NOT_FOUND" })).toBe(1);
    expect(after.samples.filter(({ labels }) => Object.values(labels).includes("77"))).toEqual([]);
    const numbers = await eventually(async () => {
      const metrics = await readMetrics(server.facts.metrics);
      return metrics.sum("inference_inflight") === 0 && metrics;
    }, "idle processes");
    expect(numbers.sum("model_ready", { model: "iris" })).toBe(2);
  });

  it("starts a killed process again and says why it ended, while requests go on", async () => {
    const before = await readMetrics(server.facts.metrics);
    const statuses: number[] = [];
    let resets = 0;
    let isDone = false;
    const client = async (): Promise<void> => {
      while (!isDone) {
        try {
          statuses.push((await predictIris(server)).status);
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code !== "ECONNRESET") throw error;
          resets++;
        }
      }
    };
    const clients = Array.from({ length: 6 }, client);
    await eventually(() => statuses.length > 50, "traffic");
    const [victim] = server.servePids;
    process.kill(victim ?? 0, "SIGKILL");
    const ended = await server.logLine(({ processPid }) => processPid === victim);
    expect(ended).toMatchObject({
      level: "error",
      logger: "supervisor",
      pid: server.mainPid,
      reason: expect.stringContaining("SIGKILL") as string,
    });
    await server.logLine(({ message }) => message.includes("runs again"));
    const seen = statuses.length;
    await eventually(() => statuses.length > seen + 50, "traffic after the restart");
    isDone = true;
    await Promise.all(clients);
    expect(new Set(statuses)).toEqual(new Set([200]));
    // In flight when it was killed, or connected while the system was still taking it down.
    expect(resets).toBeLessThanOrEqual(12);
    expect(server.servePids).toHaveLength(2);
    expect(server.servePids).not.toContain(victim);
    const after = await readMetrics(server.facts.metrics);
    expect(after.sum("process_restarts_total") - before.sum("process_restarts_total")).toBe(1);
    expect(after.sum("process_count")).toBe(2);
  });

  it("comes back when every process was killed at once", async () => {
    const before = server.servePids;
    for (const pid of before) process.kill(pid, "SIGKILL");
    await eventually(
      () => server.servePids.length === 2 && !server.servePids.some((pid) => before.includes(pid)),
      "new processes",
    );
    const reply = await eventually(() => predictIris(server).catch(() => undefined), "an answer");
    expect(reply.status).toBeOneOf([200, 503]);
    await eventually(async () => (await predictIris(server)).status === 200, "a prediction");
  });

  it("prints every log line as one JSON object with time, level, logger and message", () => {
    expect(server.errorLines.length).toBeGreaterThan(0);
    for (const line of server.errorLines) {
      expect(JSON.stringify(JSON.parse(line))).toBe(line); // also: no key stands twice
      expect(JSON.parse(line)).toMatchObject({
        time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/) as string,
        level: expect.stringMatching(/^(debug|info|warn|error)$/) as string,
        logger: expect.any(String) as string,
        message: expect.any(String) as string,
        pid: expect.any(Number) as number,
      });
    }
  });
});

it("millrace up lives on without a metrics port when its only process was killed", async () => {
  using folder = folderWith("server: { processes: 1 }\nmodels: { iris: ./iris.onnx }\n");
  await using server = await MillraceProcess.start(["up"], {
    cwd: folder.path,
    ports: ["--port", "0", "--server.metrics-port", "off"],
  });
  for (const pid of server.servePids) process.kill(pid, "SIGKILL");
  await server.logLine(({ message }) => message.includes("runs again"));
  expect((await predictIris(server)).status).toBe(200);
});

describe.each(["up", "serve"])("millrace %s", (command) => {
  const start = (folder: Workspace): Promise<MillraceProcess> =>
    MillraceProcess.start([command, "millrace.yaml"], { cwd: folder.path });

  it("is not ready at once on SIGTERM, answers what is in flight and exits with 0", async () => {
    using folder = folderWith(`server: { processes: 2 }\n${PLAIN_FILE}`);
    await using server = await start(folder);
    const open = await openRequests(server, 4);
    server.signal("SIGTERM");
    const isUnready = async (): Promise<Answer | false> => {
      const reply = await ask(server.url, "/v2/health/ready");
      return reply.status === 503 && reply;
    };
    const unready = await eventually(isUnready, "503", 900);
    expect(unready.headers["retry-after"]).toMatch(/^\d+$/);
    expect((await predictIris(server)).status).toBe(200); // load balancers need a moment to notice
    expect(await finishAll(open)).toEqual([200, 200, 200, 200]);
    expect(await server.ended()).toBe(0);
    await expect(predictIris(server)).rejects.toMatchObject({ code: "ECONNREFUSED" });
    expect(server.printed).not.toContain("Warning");
  });

  it("answers what waits for a busy model on SIGTERM", async () => {
    using folder = folderWith(`server: { processes: 2 }\n${PLAIN_FILE}`);
    await using server = await start(folder);
    const slow = Array.from({ length: 8 }, () => predictSlow(server));
    await Promise.race(slow); // the others wait for the model now
    server.signal("SIGTERM");
    for (const reply of await Promise.all(slow)) {
      expect([reply.status, reply.json]).toEqual([200, { prediction: expect.any(Array) }]);
    }
    expect(await server.ended()).toBe(0);
  });

  it("answers what is in flight when Ctrl-C reaches every process of it", async () => {
    using folder = folderWith(`server: { processes: 2 }\n${PLAIN_FILE}`);
    await using server = await start(folder);
    const open = await openRequests(server, 4);
    server.signalAll("SIGINT");
    await eventually(
      () =>
        predictIris(server).then(
          () => false,
          () => true,
        ),
      "a closed port",
    );
    expect(await finishAll(open)).toEqual([200, 200, 200, 200]);
    expect(await server.ended()).toBe(0);
    expect(existsSync(folder.file(".millrace/running.json"))).toBe(false);
  });

  it("ends at once with 130 on a second Ctrl-C", async () => {
    using folder = folderWith(`server: { processes: 1 }\n${PLAIN_FILE}`);
    await using server = await start(folder);
    const [open] = await openRequests(server, 1);
    server.signal("SIGINT");
    const startMs = performance.now();
    await eventually(() => performance.now() - startMs > 600, "another key press");
    server.signal("SIGINT");
    expect(await server.ended()).toBe(130);
    expect(performance.now() - startMs).toBeLessThan(2_000);
    await expect(open?.finish()).rejects.toMatchObject({ code: expect.any(String) as string });
  });

  it("applies a valid file on SIGHUP without harm to requests in flight", async () => {
    using folder = folderWith(`server: { processes: 2 }\n${PLAIN_FILE}`);
    await using server = await start(folder);
    const open = await openRequests(server, 3);
    const slow = Array.from({ length: 4 }, () => predictSlow(server));
    await Promise.race(slow); // the others wait for the model now
    folder.put("newer.onnx", IRIS_V2);
    const next = PLAIN_FILE.replace("slow: ./slow.onnx", "newer: ./newer.onnx").replace(
      "slow: { timeout: 20s }",
      "newer: {}",
    );
    folder.put("millrace.yaml", `server: { processes: 2 }\n${next}`);
    server.signal("SIGHUP");
    const applied = await server.logLine(({ message }) => message === "The file was applied");
    expect(applied["models"]).toEqual(["iris", "newer"]);
    expect((await Promise.all(slow)).map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    expect(await finishAll(open)).toEqual([200, 200, 200]);
    for (let i = 0; i < 10; i++) {
      expect((await predictIris(server)).status).toBe(200);
      const newer = await ask(server.url, "/services/newer/predict", { body: { data: SETOSA } });
      expect([newer.status, newer.headers["x-model"]]).toEqual([200, "newer@1"]);
      expect((await predictSlow(server)).status).toBe(404);
    }
  });

  it("refuses an invalid file on SIGHUP, says where it is wrong and keeps serving", async () => {
    using folder = folderWith(PLAIN_FILE);
    await using server = await start(folder);
    folder.put("millrace.yaml", "models:\n  iris:\n    source: ./iris.onnx\n    lables: [a]\n");
    server.signal("SIGHUP");
    const refused = await server.logLine(({ level }) => level === "error");
    expect(refused.message).toMatch(/millrace\.yaml:4:5 .*lables.*Did you mean "labels"\?/);
    folder.put("millrace.yaml", "models: [\n");
    server.signal("SIGHUP");
    await server.logLine(({ level, message }) => level === "error" && message !== refused.message);
    folder.put(
      "millrace.yaml",
      PLAIN_FILE.replace("  slow: ./slow.onnx", "").replace(/ {2}slow.*/, ""),
    );
    server.signal("SIGHUP");
    await server.logLine(({ message }) => message === "The file was applied");
    expect((await predictIris(server)).status).toBe(200);
  });

  it("refuses a changed port on SIGHUP and names the key", async () => {
    const port = await freePort();
    using folder = folderWith(
      `server: { httpPort: ${port}, grpcPort: 0, metricsPort: 0, controlPort: 0 }\n${PLAIN_FILE}`,
    );
    await using server = await MillraceProcess.start([command, "millrace.yaml"], {
      cwd: folder.path,
      ports: [],
    });
    expect(server.url).toBe(`http://127.0.0.1:${port}`);
    const other = await freePort();
    folder.put(
      "millrace.yaml",
      `server: { httpPort: ${other}, grpcPort: 0, metricsPort: 0, controlPort: 0 }\n${PLAIN_FILE.replaceAll("slow", "slower")}`,
    );
    folder.put("slower.onnx", IRIS_V2);
    server.signal("SIGHUP");
    const refused = await server.logLine(({ level }) => level === "error");
    expect(refused.message).toContain("server.httpPort");
    expect(refused.message).toContain("restart");
    expect((await predictIris(server)).status).toBe(200);
    await expect(ask(`http://127.0.0.1:${other}`, "/health")).rejects.toThrow("ECONNREFUSED");
    expect((await ask(server.url, "/v2/models")).json).toEqual({ models: ["iris", "slow"] });
  });

  it("ends with 1 and names the option when its port is in use", async () => {
    using folder = folderWith(PLAIN_FILE);
    await using taken = await takePort();
    const run = await runMillrace([command, "millrace.yaml", "--port", String(taken.port)], {
      cwd: folder.path,
    });
    expect(run.stderr).toContain(`127.0.0.1:${taken.port}: the port is in use`);
    expect(run.stderr).toContain("--port (server.httpPort)");
    expect(run.code).toBe(1);
  });

  it("ends with 1 when another millrace up has the port, and does not share it", async () => {
    using folder = folderWith(PLAIN_FILE);
    await using server = await MillraceProcess.start(["up"], { cwd: folder.path });
    const { port } = new URL(server.url);
    const run = await runMillrace([command, "millrace.yaml", "--port", port], { cwd: folder.path });
    expect(run.stderr).toContain("--port (server.httpPort)");
    expect(run.code).toBe(1);
    const any = await runMillrace([command, "millrace.yaml", "--port", port, "--host", "0.0.0.0"], {
      cwd: folder.path,
    });
    expect([any.code, any.stderr]).toEqual([1, expect.stringContaining("server.httpPort")]);
    expect((await predictIris(server)).status).toBe(200);
  });

  it("ends with 1 when the metrics port it was told to take is in use", async () => {
    using folder = folderWith(PLAIN_FILE);
    await using taken = await takePort();
    const metrics = ["--server.metrics-port", String(taken.port)];
    const run = await runMillrace([command, "millrace.yaml", "--port", "0", ...metrics], {
      cwd: folder.path,
    });
    expect(run.stderr).toContain("--server.metrics-port (server.metricsPort)");
    expect(run.code).toBe(1);
  });

  it("ends with 1 and names the key when the certificate cannot be read", async () => {
    using folder = folderWith(`server: { tls: { cert: bad.pem, key: bad.pem } }\n${PLAIN_FILE}`);
    folder.put("bad.pem", "not a certificate\n");
    const run = await runMillrace([command, "millrace.yaml", "--port", "0"], { cwd: folder.path });
    expect(run.stderr).toContain("server.tls");
    expect(run.code).toBe(1);
  });

  it("prints lines for people with format pretty", async () => {
    using folder = folderWith(PLAIN_FILE);
    await using server = await MillraceProcess.start(
      [command, "millrace.yaml", "--server.log.format", "pretty", "--server.log.access", "all"],
      { cwd: folder.path },
    );
    await predictIris(server);
    const line = await eventually(
      () => server.errorLines.find((text) => text.includes("POST 200")),
      "the access line",
    );
    expect(line).toMatch(/^\[?\d\d:\d\d:\d\d\.\d{3}\]? INFO.*iris@1/);
    expect(server.errorLines.filter((text) => text.startsWith("{"))).toEqual([]);
    expect(server.printed).not.toContain("\u001b[");
  });

  it("writes the log to a file, rotates it by size and keeps as many as it should", async () => {
    const file = "file: { path: logs/millrace.log, sizeMax: 2KiB, keep: 2 }";
    using folder = folderWith(`server: { log: { access: all, ${file} } }\n${PLAIN_FILE}`);
    await using server = await start(folder);
    for (let i = 0; i < 5; i++) {
      await Promise.all(Array.from({ length: 10 }, () => predictIris(server)));
    }
    const names = (): string[] => readdirSync(folder.file("logs")).toSorted();
    await eventually(() => names().length === 3, "two rotated files");
    await Promise.all(Array.from({ length: 20 }, () => predictIris(server)));
    await server.stop();
    expect(names()).toEqual(["millrace.log", "millrace.log.1", "millrace.log.2"]);
  });

  it("loses no line of a log file when it stops", async () => {
    const file = "file: { path: logs/millrace.log, sizeMax: 2KiB, keep: 100 }";
    using folder = folderWith(`server: { log: { access: all, ${file} } }\n${PLAIN_FILE}`);
    await using server = await start(folder);
    await Promise.all(Array.from({ length: 40 }, () => predictIris(server)));
    await server.stop();
    const lines = readdirSync(folder.file("logs")).flatMap((name) =>
      readFileSync(folder.file(`logs/${name}`), "utf8")
        .trimEnd()
        .split("\n"),
    );
    const loggers = lines.map((line) => (JSON.parse(line) as LogLine).logger);
    expect(loggers.filter((logger) => logger === "access")).toHaveLength(40);
    expect(server.errorLines).toEqual([]);
  });
});

it("millrace up does not share its port with another one that starts at the same time", async () => {
  using folder = folderWith(`server: { processes: 1, metricsPort: 0 }\n${PLAIN_FILE}`);
  const port = await freePort();
  const starts = await Promise.allSettled(
    [1, 2].map(() =>
      MillraceProcess.start(["up"], { cwd: folder.path, ports: ["--port", String(port)] }),
    ),
  );
  const started = starts.filter((start) => start.status === "fulfilled");
  await Promise.all(started.map(({ value }) => value[Symbol.asyncDispose]()));
  expect(started).toHaveLength(1);
  const refused = starts.find((start) => start.status === "rejected");
  expect(String(refused?.reason)).toContain("server.httpPort");
});

it("millrace up leaves no serve process behind when its supervisor is killed", async () => {
  using folder = folderWith(`server: { processes: 2 }\n${PLAIN_FILE}`);
  await using server = await MillraceProcess.start(["up"], { cwd: folder.path });
  const pids = server.servePids;
  expect(pids).toHaveLength(2);
  process.kill(server.mainPid, "SIGKILL");
  await eventually(() => !pids.some(isRunning), "the end of the serve processes", 5_000);
});

it("millrace up ends with everything it started when its launcher is killed", async () => {
  using folder = folderWith(`server: { processes: 2 }\n${PLAIN_FILE}`);
  await using server = await MillraceProcess.start(["up"], { cwd: folder.path });
  const pids = [server.mainPid, ...server.servePids];
  server.signal("SIGKILL");
  await eventually(() => !pids.some(isRunning), "the end of the supervisor", 5_000);
  await expect(predictIris(server)).rejects.toMatchObject({ code: "ECONNREFUSED" });
});
