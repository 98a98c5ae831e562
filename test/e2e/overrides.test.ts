import { execFileSync } from "node:child_process";
import { Agent } from "node:http";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { SqliteOverrideStore } from "../../packages/millrace/src/adapters/override-store-sqlite/override-store-sqlite.ts";
import type { JsonValue } from "../../packages/millrace/src/core/json.ts";
import { ask, type Answer, type Question } from "./http-client.ts";
import {
  eventually,
  MillraceProcess,
  runMillrace,
  type LogLine,
  type Run,
} from "./millrace-process.ts";
import { readMetrics } from "./prometheus.ts";
import { IRIS, SETOSA, takePort, Workspace } from "./workspace.ts";

const FILE = `
server: { processes: 2, log: { access: all } }
models: { iris: { source: ./iris.onnx, labels: [setosa, versicolor, virginica] } }
services: { iris: { limits: { queue: 77 } } }
`;
const QUEUE = "services.iris.limits.queue";
const RATE = "services.iris.limits.rate";
const RULES = "services.iris.traffic.rules";
const BASE = "/api/v1/overrides";

/** Rules whose only effect is that access lines name them: which process has them is seen from outside. */
function ruleNamed(name: string): JsonValue {
  return [{ name, when: { method: "POST" }, to: "iris" }];
}

function folderWith(file = FILE): Workspace {
  return new Workspace({ "millrace.yaml": file, "iris.onnx": IRIS });
}

function control(server: MillraceProcess, path: string, question?: Question): Promise<Answer> {
  return ask(server.facts.control ?? "", path, question);
}

async function put(server: MillraceProcess, path: string, body: object): Promise<Answer> {
  return control(server, `${BASE}/${path}`, { method: "PUT", body });
}

function predict({ url }: MillraceProcess, agent?: Agent): Promise<Answer> {
  const body = { data: SETOSA };
  return ask(url, "/predict", agent === undefined ? { body } : { body, agent });
}

async function current(server: MillraceProcess): Promise<unknown> {
  const { json } = await control(server, BASE);
  const { overrides } = json as { overrides: { path: string; value: unknown }[] };
  return Object.fromEntries(overrides.map(({ path, value }) => [path, value]));
}

/** Asks until every serve process has answered since the call. @returns the rule each of them named. */
async function rulesByProcess(server: MillraceProcess): Promise<unknown[]> {
  const seenBefore = server.logLines.length;
  const pids = server.servePids;
  return eventually(async () => {
    expect((await predict(server)).status).toBe(200);
    const lines = server.logLines.slice(seenBefore).filter(({ logger }) => logger === "access");
    const byPid = new Map(lines.map((line) => [line["pid"], line["rule"]]));
    return pids.every((pid) => byPid.has(pid)) && [...byPid.values()];
  }, "an answer of each process");
}

function cli(folder: Workspace, ...words: string[]): Promise<Run> {
  return runMillrace(words, { cwd: folder.path });
}

describe("millrace up with overrides", () => {
  let folder: Workspace;
  let server: MillraceProcess;
  beforeAll(async () => {
    folder = folderWith();
    server = await MillraceProcess.start(["up"], { cwd: folder.path });
  });
  afterAll(async () => {
    await server.stop();
    folder[Symbol.dispose]();
  });

  it("has a change in every process when it is answered, and gives it back on unset", async () => {
    expect(new Set(await rulesByProcess(server))).toEqual(new Set([undefined]));
    const answer = await put(server, RULES, { value: ruleNamed("first"), reason: "a test" });
    expect(answer.status).toBe(200);
    expect(await rulesByProcess(server)).toEqual(["first", "first"]);
    const metrics = await readMetrics(server.facts.metrics);
    const { version } = answer.json as { version: number };
    expect(metrics.sum("override_version")).toBe(version);
    expect(metrics.sum("overrides_applied_total")).toBe(1);
    const unset = await control(server, `${BASE}/${RULES}`, { method: "DELETE" });
    expect(unset.json).toMatchObject({ path: RULES, version: version + 1, value: [] });
    expect(new Set(await rulesByProcess(server))).toEqual(new Set([undefined]));
  });

  it("takes far less than a second, under load, and no request fails while it flips", async () => {
    const statuses = new Map<number, number>();
    const latencies: number[] = [];
    let isDone = false;
    const client = async (): Promise<void> => {
      using agent = Object.assign(new Agent({ keepAlive: true, maxSockets: 1 }), {
        [Symbol.dispose](this: Agent) {
          this.destroy();
        },
      });
      while (!isDone) {
        const { status } = await predict(server, agent);
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
      }
    };
    const clients = Array.from({ length: 8 }, client);
    const endMs = performance.now() + 3_000;
    for (let flip = 0; performance.now() < endMs; flip++) {
      const startMs = performance.now();
      const body = { set: { [RULES]: ruleNamed(`flip-${flip % 2}`), [QUEUE]: 500 + flip } };
      const { status } = await control(server, BASE, { method: "PUT", body });
      latencies.push(performance.now() - startMs);
      expect(status).toBe(200);
    }
    isDone = true;
    await Promise.all(clients);
    expect([...statuses.keys()]).toEqual([200]);
    expect(statuses.get(200)).toBeGreaterThan(100);
    expect(latencies.length).toBeGreaterThan(3);
    expect(Math.max(...latencies)).toBeLessThan(1_000);
  });

  it("refuses what is wrong, with the schema's words, and changes nothing", async () => {
    const before = (await control(server, BASE)).json;
    const refusals: [string, object, string][] = [
      [QUEUE, { value: -1 }, "found -1, expected a whole number 0 to 1000000"],
      [QUEUE, { value: "many" }, 'found "many", expected a whole number'],
      ["services.iris.limits.queu", { value: 1 }, `Did you mean "${QUEUE}"?`],
      ["services.iri.limits.queue", { value: 1 }, `Did you mean "${QUEUE}"?`],
      ["models.iris.threads", { value: 2 }, "not a live key"],
      [`${RULES}.0.to`, { value: "iris" }, `${RULES} is set as a whole`],
      [RULES, { value: [{ name: "x", when: { method: "POST" }, to: "nobody" }] }, "nobody"],
      ["__proto__.x", { value: 1 }, "no such key"],
    ];
    for (const [path, body, message] of refusals) {
      const { status, json } = await put(server, path, body);
      expect([path, status, json]).toEqual([
        path,
        400,
        expect.objectContaining({
          code: "INVALID_OVERRIDE",
          detail: expect.stringContaining(message) as string,
        }),
      ]);
    }
    const half = { set: { [QUEUE]: 3, [RATE]: "fast" } };
    expect(await control(server, BASE, { method: "PUT", body: half })).toMatchObject({
      status: 400,
    });
    expect((await control(server, BASE)).json).toEqual(before);
  });

  it("refuses a change for a version that is not the current one any more", async () => {
    const tagged = await control(server, BASE);
    const headers = { "if-match": String(tagged.headers.etag) };
    const change = (value: number): Promise<Answer> =>
      control(server, `${BASE}/${QUEUE}`, { method: "PUT", headers, body: { value } });
    const answers = await Promise.all([change(1), change(2)]);
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200, 409]));
    const refused = answers.find(({ status }) => status === 409);
    expect(refused?.json).toMatchObject({ code: "OVERRIDE_CONFLICT" });
  });

  it("ends an override when its time has come, and the history says so", async () => {
    expect(
      (await put(server, RATE, { value: "100/s", for: "300ms", reason: "short" })).status,
    ).toBe(200);
    expect(await current(server)).toMatchObject({ [RATE]: "100/s" });
    await eventually(
      async () => (await control(server, `${BASE}/${RATE}`)).status === 404,
      "its end",
      2_000,
    );
    const { json } = await control(server, `${BASE}/${RATE}?history=1`);
    expect((json as { history: unknown[] }).history.slice(0, 2)).toMatchObject([
      { action: "expired", by: "expiry", old: "100/s", new: null },
      { action: "set", reason: "short", old: null, new: "100/s" },
    ]);
  });

  it("is one in all processes or in none: one that does not answer in time ends the change", async () => {
    await put(server, RULES, { value: ruleNamed("before") });
    const [stopped = 0] = server.servePids;
    process.kill(stopped, "SIGSTOP");
    try {
      const { status, json } = await put(server, RULES, { value: ruleNamed("refused") });
      expect([status, json]).toEqual([504, expect.objectContaining({ code: "DEADLINE_EXCEEDED" })]);
    } finally {
      process.kill(stopped, "SIGCONT");
    }
    expect(await current(server)).toMatchObject({ [RULES]: ruleNamed("before") });
    expect(await rulesByProcess(server)).toEqual(["before", "before"]);
  });

  it("goes on without control, which comes back with what was changed", async () => {
    await put(server, RULES, { value: ruleNamed("kept") });
    const before = await control(server, BASE);
    const victim = server.controlPid ?? 0;
    process.kill(victim, "SIGKILL");
    expect(await rulesByProcess(server)).toEqual(["kept", "kept"]);
    await server.logLine(({ message }) => message === "Control process runs again");
    expect(server.controlPid).not.toBe(victim);
    expect((await control(server, BASE)).json).toEqual(before.json);
    expect((await readMetrics(server.facts.metrics)).sum("control_restarts_total")).toBe(1);
    expect((await put(server, RULES, { value: ruleNamed("after") })).status).toBe(200);
    expect(await rulesByProcess(server)).toEqual(["after", "after"]);
  });

  it("has in every process what control has kept, when control is killed amid changes", async () => {
    const restarts = async (): Promise<number> =>
      (await readMetrics(server.facts.metrics)).sum("control_restarts_total");
    const before = await restarts();
    let answered = -1;
    const changes = (async () => {
      for (let i = 0; ; i++) {
        const answer = await put(server, RULES, { value: ruleNamed(`n-${i}`) }).catch(
          () => undefined,
        );
        if (answer === undefined) return;
        expect(answer.status).toBe(200);
        answered = i;
      }
    })();
    await eventually(() => answered >= 3, "changes");
    process.kill(server.controlPid ?? 0, "SIGKILL");
    await changes;
    await eventually(async () => (await restarts()) === before + 1, "the crash");
    const kept = await eventually(() => current(server).catch(() => undefined), "control");
    const [{ name }] = (kept as Record<string, [{ name: string }]>)[RULES] ?? [{ name: "" }];
    expect([`n-${answered}`, `n-${answered + 1}`]).toContain(name);
    await eventually(async () => {
      const rules = await rulesByProcess(server);
      return rules.every((rule) => rule === name);
    }, "what is kept in every process");
  });

  it("takes over what another Millrace has kept: with its next change, or when control starts again", async () => {
    const store = new SqliteOverrideStore(folder.file(".millrace/control.sqlite"));
    const write = async (name: string): Promise<void> => {
      const steps = [{ path: RULES, action: "set", old: [], value: ruleNamed(name) } as const];
      const change = { atMs: Date.now(), by: "other", reason: "", expiresAtMs: undefined, steps };
      expect(await store.commit(change, (await store.read()).version)).toBeDefined();
    };
    await write("theirs");
    const refused = await put(server, RULES, { value: ruleNamed("ours") });
    expect(refused).toMatchObject({ status: 409, json: { code: "OVERRIDE_CONFLICT" } });
    expect(await rulesByProcess(server)).toEqual(["theirs", "theirs"]);
    await write("theirs-too");
    await store.close();
    const isBack = ({ message }: LogLine): boolean => message === "Control process runs again";
    const seenBefore = server.logLines.filter(isBack).length;
    process.kill(server.controlPid ?? 0, "SIGKILL");
    await eventually(() => server.logLines.filter(isBack).length > seenBefore, "control");
    expect(await rulesByProcess(server)).toEqual(["theirs-too", "theirs-too"]);
  });

  it("gives a serve process that starts again what is in force, also what changed meanwhile", async () => {
    await put(server, RULES, { value: ruleNamed("restarted") });
    const [victim = 0] = server.servePids;
    const seenBefore = server.logLines.length;
    process.kill(victim, "SIGKILL");
    let last = "";
    for (let i = 0; ; i++) {
      last = `meanwhile-${i}`;
      expect((await put(server, RULES, { value: ruleNamed(last) })).status).toBe(200);
      const isBack = server.logLines
        .slice(seenBefore)
        .some(({ message }) => /^Serve process \d runs again$/.test(message));
      if (isBack) break;
    }
    expect(await rulesByProcess(server)).toEqual([last, last]);
  });

  it("ends a control process that hangs amid a change: nothing waits for it, and it comes back", async () => {
    const serving = server.servePids;
    const hanging = server.controlPid ?? 0;
    const seenBefore = server.logLines.length;
    for (const pid of serving) process.kill(pid, "SIGSTOP");
    const lost = put(server, RULES, { value: ruleNamed("lost") }).catch(() => undefined);
    await control(server, "/api/v1/config"); // answered after it has sent the change on
    process.kill(hanging, "SIGSTOP");
    for (const pid of serving) process.kill(pid, "SIGCONT");
    const isBack = ({ message }: LogLine): boolean => message === "Control process runs again";
    await eventually(() => server.logLines.slice(seenBefore).some(isBack), "control", 20_000);
    await lost;
    expect((await put(server, RULES, { value: ruleNamed("found") })).status).toBe(200);
    expect(await rulesByProcess(server)).toEqual(["found", "found"]);
  });

  it("explains a prediction of any process, with the override version it was made under", async () => {
    const change = await put(server, RULES, { value: ruleNamed("explained") });
    const { version } = change.json as { version: number };
    const ids = new Set<string>();
    for (let i = 0; i < 6; i++) ids.add(String((await predict(server)).headers["x-prediction-id"]));
    for (const id of ids) {
      const { status, json } = await control(server, `/api/v1/predictions/${id}`);
      expect([status, json]).toEqual([
        200,
        expect.objectContaining({
          prediction_id: id,
          rule: "explained",
          override_version: version,
        }),
      ]);
    }
    const run = await cli(folder, "explain", [...ids][0] ?? "");
    expect([run.code, run.stdout]).toEqual([0, expect.stringContaining(`overrides   v${version}`)]);
  });

  it("shows in its status what runs and what is in force", async () => {
    const { json } = await control(server, "/api/v1/status");
    expect(json).toMatchObject({
      name: expect.any(String) as string,
      override_version: expect.any(Number) as number,
      processes: [
        { process: 0, state: "running" },
        { process: 1, state: "running" },
        { process: "control", state: "running", pid: server.controlPid },
        { process: "log", pid: expect.any(Number) as number },
      ],
      models: [{ name: "iris", ready: true }],
      services: [
        { name: "iris", default: true, limits: expect.stringContaining("queue") as string },
      ],
    });
  });

  it("refuses pages of other sites and names that only seem to be this machine", async () => {
    const headers = { origin: "https://shop.example.com" };
    const page = await control(server, `${BASE}/${QUEUE}`, {
      method: "PUT",
      headers,
      body: { value: 1 },
    });
    expect(page).toMatchObject({ status: 403, json: { code: "FORBIDDEN" } });
    const rebound = await control(server, BASE, { headers: { host: "evil.example.com:8080" } });
    expect(rebound).toMatchObject({ status: 403, json: { code: "FORBIDDEN" } });
  });

  it.each([
    ["POST", BASE, 405, "METHOD_NOT_ALLOWED"],
    ["GET", "/api/v1/nothing", 404, "ROUTE_NOT_FOUND"],
    ["GET", `${BASE}/services.iris.limits.concurrency`, 404, "OVERRIDE_NOT_FOUND"],
    ["DELETE", `${BASE}/services.iris.limits.concurrency`, 404, "OVERRIDE_NOT_FOUND"],
    [
      "GET",
      "/api/v1/predictions/01992f3c-0000-7000-8000-000000000000",
      404,
      "PREDICTION_NOT_FOUND",
    ],
    ["GET", `${BASE}?history=1&limit=0`, 400, "INVALID_BODY"],
  ])("answers %s %s with %i %s", async (method, path, status, code) => {
    const answer = await control(server, path, { method });
    expect([answer.status, answer.headers["content-type"], answer.json]).toEqual([
      status,
      "application/problem+json",
      expect.objectContaining({ code, status }),
    ]);
  });

  it("commands find it, print what they did and exit with 0, 1 or 2", async () => {
    const set = await cli(folder, "set", `${QUEUE}=12`, "--reason", "a test", "--for", "2h");
    expect(set).toMatchObject({ code: 0, stderr: "" });
    expect(set.stdout).toMatch(
      /^services\.iris\.limits\.queue = 12 {2}\(v\d+, by .+ until .+: a test\)\n$/,
    );
    expect((await cli(folder, "get", QUEUE)).stdout).toMatch(/ = 12 {2}\(override v\d+\)\n$/);
    expect((await cli(folder, "get", "--json")).stdout).toContain('"reason":"a test"');
    expect((await cli(folder, "config", "print")).stdout).toMatch(
      /limits\.queue +12 +override v\d+/,
    );
    const history = await cli(folder, "get", QUEUE, "--history");
    expect(history.stdout).toMatch(/queue set: .* → 12/);
    const unset = await cli(folder, "unset", QUEUE);
    expect([unset.code, unset.stdout]).toEqual([0, expect.stringContaining("= 77  (v")]);
    expect((await cli(folder, "unset", QUEUE)).code).toBe(1);
    expect((await cli(folder, "set", `${QUEUE}=1`, `${QUEUE}=2`)).code).toBe(2);
    expect((await cli(folder, "set", `${QUEUE}=1`, `${RATE}=9/s`)).code).toBe(0);
    const both = await cli(folder, "unset", QUEUE, RATE);
    expect(both.stdout).toMatch(/queue = 77 {2}\(v(\d+), .*\n.*rate = .*\(v\1, /);
    expect(await cli(folder, "set", `${QUEUE}=lots`)).toMatchObject({ code: 2, stdout: "" });
    expect((await cli(folder, "set", "queue")).code).toBe(2);
    const unknown = await cli(folder, "explain", "01992f3c-0000-7000-8000-000000000000");
    expect([unknown.code, unknown.stderr]).toEqual([1, expect.stringContaining("keeps its last")]);
    const nobody = await cli(folder, "get", "--url", "http://127.0.0.1:1");
    expect([nobody.code, nobody.stderr]).toEqual([
      1,
      expect.stringMatching(/^Cannot ask the control role at .*: .*; run it in the folder of/),
    ]);
  });
});

it("keeps what was answered when everything is killed at once, and ends what expired meanwhile", async () => {
  using folder = folderWith();
  {
    await using server = await MillraceProcess.start(["up"], { cwd: folder.path });
    expect((await put(server, RULES, { value: ruleNamed("kept"), for: "1h" })).status).toBe(200);
    const { status } = await put(server, RATE, { value: "100/s", for: "1s" });
    expect(status).toBe(200); // and now every process is killed
  }
  await using again = await MillraceProcess.start(["up"], { cwd: folder.path });
  expect(await rulesByProcess(again)).toEqual(["kept", "kept"]);
  await eventually(
    async () => !(RATE in ((await current(again)) as object)),
    "the end of the rate",
    2_000,
  );
  const { json } = await control(again, `${BASE}?history=1`);
  expect(json).toMatchObject({ history: [{ path: RATE, action: "expired", version: 3 }, {}, {}] });
});

it("refuses a file on SIGHUP that an override does not fit, and at a start sets the override aside", async () => {
  using folder = folderWith(`${FILE.replace("iris:", "other: ./iris.onnx, iris:")}`);
  {
    await using server = await MillraceProcess.start(["up"], { cwd: folder.path });
    const value = [{ name: "gone", when: { method: "POST" }, to: "other" }];
    expect((await put(server, RULES, { value })).status).toBe(200);
    folder.put("millrace.yaml", FILE.replace("queue: 77", "queue: 78"));
    server.signal("SIGHUP");
    const refused = await server.logLine(({ message }) => message.includes("was not applied"));
    expect(refused.message).toMatch(/override v1 services\.iris\.traffic\.rules.*other/);
    expect(await rulesByProcess(server)).toEqual(["gone", "gone"]);
    await server.stop();
  }
  await using again = await MillraceProcess.start(["up"], { cwd: folder.path });
  const { json } = await control(again, BASE);
  expect(json).toMatchObject({
    overrides: [{ path: RULES }],
    set_aside: [{ path: RULES, version: 1, why: expect.stringContaining("other") as string }],
  });
  expect(new Set(await rulesByProcess(again))).toEqual(new Set([undefined]));
  expect((await put(again, QUEUE, { value: 5 })).status).toBe(200);
});

it("lays overrides over a changed file on SIGHUP", async () => {
  using folder = folderWith();
  await using server = await MillraceProcess.start(["up"], { cwd: folder.path });
  await put(server, RULES, { value: ruleNamed("over") });
  folder.put("millrace.yaml", FILE.replace("queue: 77", "queue: 78"));
  const stale = await control(server, `/api/v1/config?path=${QUEUE}`);
  expect(stale.json).toMatchObject({ live: [{ value: 77 }] }); // a change on disk is none yet
  server.signal("SIGHUP");
  await server.logLine(({ message }) => message === "The file was applied");
  const { json } = await control(server, `/api/v1/config?path=${QUEUE}`);
  expect(json).toMatchObject({ live: [{ path: QUEUE, value: 78 }] });
  expect(await rulesByProcess(server)).toEqual(["over", "over"]);
});

it.each([
  ["up", "--server.control-port=off"],
  ["serve", "--server.control-port=0"],
])("warns of what is kept and not in force under %s %s", async (command, flag) => {
  using folder = folderWith();
  {
    await using server = await MillraceProcess.start(["up"], { cwd: folder.path });
    expect((await put(server, QUEUE, { value: 5 })).status).toBe(200);
  }
  const ports = ["--port", "0", "--server.grpc-port", "0", "--server.metrics-port", "0", flag];
  await using server = await MillraceProcess.start([command, "millrace.yaml"], {
    cwd: folder.path,
    ports,
  });
  const warning = await server.logLine(({ message }) => message.includes("are not in force"));
  expect(warning).toMatchObject({ level: "warn", paths: [QUEUE] });
});

it("names who changed what by their key, and asks for one with the scope admin", async () => {
  const keys = `auth: { keys: [{ name: ann, secret: s-ann, scopes: [admin] }, { name: shop, secret: s-shop }] }`;
  using folder = folderWith(FILE.replace("processes: 2", `processes: 1, ${keys}`));
  await using server = await MillraceProcess.start(["up"], { cwd: folder.path });
  const change = (secret: string | undefined): Promise<Answer> =>
    control(server, `${BASE}/${QUEUE}`, {
      method: "PUT",
      body: { value: 5, by: "somebody else" },
      headers: secret === undefined ? {} : { authorization: `Bearer ${secret}` },
    });
  expect(await change(undefined)).toMatchObject({ status: 401, json: { code: "UNAUTHENTICATED" } });
  expect(await change("s-shop")).toMatchObject({ status: 403, json: { code: "FORBIDDEN" } });
  expect(await change("s-ann")).toMatchObject({ status: 200, json: { by: "ann" } });
});

it("ends with 2 when other machines would reach control and nobody has an admin key", async () => {
  using folder = folderWith();
  const words = ["up", "--host", "0.0.0.0", "--port", "0"];
  const run = await cli(folder, ...words);
  expect([run.code, run.stderr]).toEqual([
    2,
    expect.stringContaining('no key of server.auth.keys has the scope "admin"'),
  ]);
  await using server = await MillraceProcess.start(
    [...words.slice(0, 3), "--server.control-port", "off"],
    {
      cwd: folder.path,
      ports: ["--port", "0", "--server.grpc-port", "0", "--server.metrics-port", "off"],
    },
  );
  expect(server.facts.control).toBeUndefined();
  expect(server.controlPid).toBeUndefined();
});

it("ends with 1 when the control port it was told to take is in use; a default one gives way", async () => {
  using folder = folderWith();
  await using taken = await takePort();
  const ports = ["--port", "0", "--server.grpc-port", "0", "--server.metrics-port", "0"];
  const run = await cli(folder, "up", ...ports, "--server.control-port", String(taken.port));
  expect([run.code, run.stderr]).toEqual([1, expect.stringContaining("server.controlPort")]);
  await using one = await MillraceProcess.start(["up"], { cwd: folder.path, ports });
  using other = folderWith();
  await using two = await MillraceProcess.start(["up"], { cwd: other.path, ports });
  expect(one.facts.control).not.toBe(two.facts.control);
  const moved = await two.logLine(({ message }) => message.startsWith("Control is on port"));
  expect(moved.level).toBe("warn");
});

it("ends with 1 when what keeps the overrides cannot be read", async () => {
  using folder = folderWith();
  folder.put(".millrace/control.sqlite", "not a database ".repeat(1000));
  const ports = ["http", "grpc", "metrics", "control"].flatMap((name) => [
    `--server.${name}-port`,
    "0",
  ]);
  const run = await cli(folder, "up", ...ports);
  expect([run.code, run.stderr]).toEqual([1, expect.stringContaining("control.sqlite")]);
  expect(execFileSync("ps", ["-ef"], { encoding: "utf8" })).not.toContain(folder.path);
});
