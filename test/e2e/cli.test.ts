import { existsSync, readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { MillraceProcess, runMillrace, type Run } from "./millrace-process.ts";
import { fixture, IRIS, STACK_LINE, Workspace } from "./workspace.ts";

const FILE = `models:
  iris:
    source: ./iris.onnx
    labels: [setosa, versicolor, virginica]
    sample: [[5.1, 3.5, 1.4, 0.2]]
`;

const COMMANDS = [
  "up",
  "serve",
  "predict",
  "check",
  "config print",
  "config schema",
  "inspect",
  "init",
] as const;

let folder: Workspace;
beforeAll(() => {
  folder = new Workspace({
    "millrace.yaml": FILE,
    "iris.onnx": IRIS,
    "int64.onnx": fixture("identity-int64.onnx"),
    "opset.onnx": fixture("opset-99.onnx"),
  });
});
afterAll(() => folder[Symbol.dispose]());

async function run(
  words: string,
  options: { cwd?: string; env?: NodeJS.ProcessEnv } = {},
): Promise<Run> {
  const result = await runMillrace(split(words), { cwd: folder.path, ...options });
  for (const text of [result.stdout, result.stderr]) {
    expect(text).not.toMatch(STACK_LINE);
    expect(text).not.toMatch(/unsettled|DeprecationWarning|ExperimentalWarning|node:internal/);
  }
  return result;
}

/** Words of a command line; quotes keep spaces together. */
function split(words: string): string[] {
  return [...words.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? "");
}

describe("help", () => {
  it.each(["--help", "-h", "help", ""])("millrace %s lists every command", async (words) => {
    const { code, stdout, stderr } = await run(words);
    expect([code, stderr]).toEqual([0, ""]);
    for (const command of COMMANDS) expect(stdout).toContain(`\n  ${command} `);
  });
  it.each(COMMANDS)("millrace %s --help has usage and an example", async (command) => {
    const { code, stdout, stderr } = await run(`${command} --help`);
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toContain(`Usage: millrace ${command}`);
    expect(stdout).toContain(`Examples:\n  millrace ${command}`);
  });
  it("millrace --version prints it", async () => {
    expect((await run("--version")).stdout).toMatch(/^\d+\.\d+\.\d+/);
  });
});

describe("wrong use", () => {
  it.each([
    ["srve", /Unknown command "srve".*Did you mean "serve"\?/],
    ["config", /Unknown command "config"/],
    ["config prnt", /Did you mean "config print"\?/],
    ["__proto__", /Unknown command/],
    ["serve --prot 80", /--prot.*Did you mean "--port"\?/],
    ["up --server.htp-port 80", /Did you mean "--server.http-port"\?/],
    ["serve -p 80", /unknown option -p/],
    ["serve --port", /--port needs a value/],
    ["serve --port eighty", /--port.*eighty/],
    ["serve --port 70000", /--port.*70000.*65535/],
    ["serve --json=yes", /--json takes no value/],
    ["serve a.yaml b.yaml", /expected one file/],
    ["serve iris.onnx millrace.yaml", /a file or models, found both/],
    ["serve nowhere.yaml", /nowhere\.yaml/],
    ["check nowhere", /nowhere/],
    ["config schema --json", /expected no arguments|--json/],
    ["inspect", /expected one model file/],
    ["inspect a.onnx b.onnx", /expected one model file/],
    ["inspect iris.onnx --threads many", /--threads/],
    ["inspect iris.onnx --what 1", /--what/],
    ["init --what 1", /--what/],
    ["init absent.onnx --yes", /absent\.onnx|already/],
    ["predict", /--data or --file/],
    ["predict --data 1 --file x", /--data or --file/],
    ["predict --data '[[1'", /expected rows as JSON/],
    ["predict --file absent.json", /absent\.json/],
    ["predict --data [[1]] --timeout 5", /--timeout.*unit/],
    ["predict --data [[1]] --url nonsense", /--url/],
    ["predict --data [[1]] --url http://127.0.0.1:99999", /--url/],
    ["predict a b --data [[1]]", /expected one service/],
    ["predict --data [[1]] --what 1", /--what/],
  ])("millrace %s: exit 2 and why", async (words, message) => {
    const { code, stdout, stderr } = await run(words);
    expect([code, stdout, stderr]).toEqual([2, "", expect.stringMatching(message)]);
  });
});

describe("a wrong file", () => {
  const WRONG = `name: "?"
server:
  httpPort: eighty
  drain: 30
  bodyMax: 64MB
  tls: { cert: absent.pem, key: absent.pem }
  log: { level: loud }
models:
  iris:
    sorce: ./iris.onnx
  "a/b": ./iris.onnx
  stats: ./iris.onnx
  rf:
    source: http://models.example/rf.onnx
    labels: absent.txt
    threads: 0
    serve: newest
services:
  other:
    graph: nobody
    timeot: 2s
  one: { graph: rf, default: true }
  two: { graph: rf, default: true }
modles: {}
`;

  it.each(["check", "serve", "up", "config print"])(
    "millrace %s names every problem at once with its place, exit 2",
    async (command) => {
      using workspace = new Workspace({ "millrace.yaml": WRONG, "iris.onnx": IRIS });
      const { code, stdout, stderr } = await run(command, { cwd: workspace.path });
      expect([code, stdout]).toEqual([2, ""]);
      for (const problem of [
        /^millrace\.yaml:3:13 server\.httpPort: .*"?eighty"?.*/m,
        /^millrace\.yaml:4:10 server\.drain: .*30.*unit/m,
        /^millrace\.yaml:5:12 server\.bodyMax: .*64MB/m,
        /^millrace\.yaml:6:16 server\.tls\.cert: .*absent\.pem.*does not exist/m,
        /^millrace\.yaml:7:17 server\.log\.level: .*loud/m,
        /^millrace\.yaml:10:5 models\.iris\.sorce: .*Did you mean "source"\?/m,
        /^millrace\.yaml:11:3 .*a\/b/m,
        /^millrace\.yaml:12:3 .*stats/m,
        /^millrace\.yaml:14:13 models\.rf\.source: /m,
        /^millrace\.yaml:15:13 models\.rf\.labels: .*absent\.txt/m,
        /^millrace\.yaml:16:14 models\.rf\.threads: .*0/m,
        /^millrace\.yaml:17:12 models\.rf\.serve: .*newest/m,
        /^millrace\.yaml:20:12 services\.other\.graph: .*nobody/m,
        /^millrace\.yaml:21:5 services\.other\.timeot: .*Did you mean "timeout"\?/m,
        /^millrace\.yaml:24:1 modles: .*Did you mean "models"\?/m,
        /^\d+ problems in the configuration$/m,
      ]) {
        expect(stderr).toMatch(problem);
      }
    },
  );

  it.each([
    ["an unclosed bracket", "models: [\n", /^millrace\.yaml:[12]:\d+/],
    ["a tab", "models:\n\tiris: x\n", /^millrace\.yaml:2:1/],
    ["a key twice", "name: a\nname: b\n", /^millrace\.yaml:2:1.*name/],
    ["a list", "- a\n", /^millrace\.yaml:1:1/],
    ["binary", "\0\u0001\u0002", /^millrace\.yaml/],
    ["an anchor that refers to itself", "models: &a { x: *a }\n", /^millrace\.yaml:1/],
    [
      "a service that runs itself",
      `${FILE}services: { a: { graph: b }, b: { graph: a } }\n`,
      /^millrace\.yaml:6.*(cycle|itself)/i,
    ],
    [
      "an unknown variable",
      "name: ${MILLRACE_E2E_NOT_SET}\n",
      /^millrace\.yaml:1:\d+ name: .*MILLRACE_E2E_NOT_SET/m,
    ],
    ["no models", "name: a\n", /model/],
    ["nothing", "", /model/],
  ])("%s: exit 2 and where", async (_name, text, message) => {
    using workspace = new Workspace({ "millrace.yaml": text, "iris.onnx": IRIS });
    const { code, stderr } = await run("check", { cwd: workspace.path });
    expect([code, stderr]).toEqual([2, expect.stringMatching(message)]);
  });

  it("a wrong variable or flag is named", async () => {
    const env = { MILLRACE_SERVER_HTTP_PORT: "many", MILLRACE_SERVER_HOTS: "x" };
    const { code, stderr } = await run("check --server.drain 5", { env });
    expect(code).toBe(2);
    expect(stderr).toMatch(/environment MILLRACE_SERVER_HTTP_PORT.*many/);
    expect(stderr).toMatch(/flag --server\.drain.*unit/);
  });

  it("never prints a secret", async () => {
    const text = `${FILE}server:\n  auth: { keys: [{ name: a, secret: "${"top secret"}", scopes: [infr] }] }\n`;
    using workspace = new Workspace({ "millrace.yaml": text, "iris.onnx": IRIS });
    const wrong = await run("check", { cwd: workspace.path });
    expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining('"infer"')]);
    expect(wrong.stderr).not.toContain("top secret");
    const keys = 'server:\n  auth: { keys: [{ name: a, secret: "${E2E_KEY}" }] }\n';
    workspace.put("millrace.yaml", FILE + keys);
    for (const words of ["config print", "config print --json", "check --json"]) {
      const { code, stdout, stderr } = await run(words, {
        cwd: workspace.path,
        env: { E2E_KEY: "t0ps3cret" },
      });
      expect([words, code]).toEqual([words, 0]);
      expect(stdout + stderr).not.toContain("t0ps3cret");
    }
  });
});

describe("millrace check", () => {
  it("loads every model without a port, exit 0", async () => {
    const { code, stdout, stderr } = await run("check");
    expect([code, stdout, stderr]).toEqual([0, "iris: loads\n", ""]);
    expect(existsSync(folder.file(".millrace"))).toBe(false);
  });
  it("prints JSON on demand", async () => {
    const { code, stdout } = await run("check iris.onnx int64.onnx --json");
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      models: [
        { name: "iris", isReady: true },
        { name: "int64", isReady: true },
      ],
    });
  });
  it("ends with 1 when a model does not load, and says why", async () => {
    const { code, stdout } = await run("check iris.onnx opset.onnx");
    expect([code, stdout]).toEqual([
      1,
      expect.stringMatching(/^iris: loads\nopset: FAILS: .*opset\.onnx.*opset/),
    ]);
  });
  it("ends with 2 when a model file is missing, and says where it is named", async () => {
    using workspace = new Workspace({ "millrace.yaml": "models:\n  iris: ./absent.onnx\n" });
    const { code, stderr } = await run("check", { cwd: workspace.path });
    expect([code, stderr]).toEqual([
      2,
      expect.stringMatching(/^millrace\.yaml:2:9: model iris: .*absent\.onnx/),
    ]);
  });
});

describe("millrace config", () => {
  it("print shows each value with its source: flag over environment over file over default", async () => {
    using workspace = new Workspace({
      "millrace.yaml": `${FILE}server: { httpPort: 7001, host: 127.0.0.1, drain: 7s }\n`,
      "iris.onnx": IRIS,
      ".env": "MILLRACE_SERVER_BODY_MAX=1MiB\n",
    });
    const env = {
      MILLRACE_SERVER_HTTP_PORT: "7002",
      MILLRACE_SERVER_DRAIN: "8s",
      MILLRACE_SERVICES_IRIS_TIMEOUT: "3s",
    };
    const { code, stdout } = await run("config print --port 7003 --json", {
      cwd: workspace.path,
      env,
    });
    expect(code).toBe(0);
    const rows = JSON.parse(stdout) as { path: string; value: unknown; source: string }[];
    const row = (path: string): string => {
      const found = rows.find((candidate) => candidate.path === path);
      return `${JSON.stringify(found?.value)} ${found?.source ?? "nowhere"}`;
    };
    expect(row("server.httpPort")).toMatch(/^"?7003"? flag --port/);
    expect(row("server.drain")).toMatch(/^"8s" environment MILLRACE_SERVER_DRAIN/);
    expect(row("server.host")).toMatch(/^"127.0.0.1" file millrace\.yaml:6/);
    expect(row("server.metricsPort")).toMatch(/^"?8002"? default/);
    expect(row("services.iris.timeout")).toMatch(/^"3s" environment/);
    expect(row("server.bodyMax")).toMatch(/^"1MiB" /);
    const text = await run("config print --port 7003", { cwd: workspace.path, env });
    expect(text.stdout).toMatch(/^server\.httpPort +7003 +flag --port$/m);
  });
  it("schema is a JSON Schema of the file in which every key describes itself", async () => {
    const { code, stdout } = await run("config schema");
    expect(code).toBe(0);
    const schema = JSON.parse(stdout) as {
      $schema: string;
      properties: Record<string, { description?: string }>;
    };
    expect(schema.$schema).toBe("https://json-schema.org/draft/2020-12/schema");
    expect(Object.keys(schema.properties)).toEqual(
      expect.arrayContaining(["name", "server", "state", "models", "services"]),
    );
    for (const [key, property] of Object.entries(schema.properties)) {
      expect([key, property.description]).toEqual([key, expect.any(String)]);
    }
  });
});

describe("millrace inspect", () => {
  it("shows what a model takes, gives and costs", async () => {
    const { code, stdout, stderr } = await run("inspect iris.onnx");
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(/^input +float_input {2}FP32 \[any, 4\]$/m);
    expect(stdout).toMatch(/^output +\S+ {2}FP32 \[any, 3\] {2}\(the prediction\)$/m);
    expect(stdout).toMatch(/^sha256 +6dc9d0eb6e01/m);
    expect(stdout).toMatch(/^change +Removed the ZipMap/m);
    expect(stdout).toMatch(/opset/i);
    for (const rows of ["1 row:", "8 rows:", "64 rows:"]) expect(stdout).toContain(rows);
  });
  it("prints JSON on demand", async () => {
    const { stdout } = await run("inspect int64.onnx --json");
    expect(JSON.parse(stdout)).toMatchObject({
      inputs: [{ name: "INPUT", datatype: "INT64", shape: [-1, -1] }],
      timings: [{ rows: 1 }, { rows: 8 }, { rows: 64 }],
    });
  });
  it.each([
    ["absent.onnx", /absent\.onnx.*no such file/],
    ["millrace.yaml", /millrace\.yaml/],
    ["opset.onnx", /opset\.onnx.*opset/],
    [".", /./],
  ])("%s: exit 1 and why", async (file, message) => {
    const { code, stdout, stderr } = await run(`inspect ${file}`);
    expect([code, stdout, stderr]).toEqual([1, "", expect.stringMatching(message)]);
  });
});

describe("millrace init", () => {
  it("writes a file that checks, and never over one that is there", async () => {
    using workspace = new Workspace({ "models/iris rf.onnx": IRIS });
    const options = { cwd: workspace.path };
    const first = await run("init --yes --labels setosa,versicolor,virginica", options);
    expect([first.code, first.stderr]).toEqual([0, ""]);
    expect(readFileSync(workspace.file("millrace.yaml"), "utf8")).toContain("labels:");
    expect(await run("check", options)).toEqual({
      code: 0,
      stdout: "iris-rf: loads\n",
      stderr: "",
    });
    const again = await run("init --yes", options);
    expect([again.code, again.stderr]).toEqual([2, expect.stringContaining("already")]);
  });
  it("says what is missing without a model", async () => {
    using workspace = new Workspace();
    const { code, stderr } = await run("init --yes", { cwd: workspace.path });
    expect([code, stderr]).toEqual([2, expect.stringContaining("no .onnx file here")]);
  });
  it("refuses a name that the file could not have", async () => {
    using workspace = new Workspace({ "iris.onnx": IRIS });
    const options = { cwd: workspace.path };
    for (const name of ["a/b", "stats", "'a: b'"]) {
      const { code, stderr } = await run(`init --yes --name ${name}`, options);
      expect([name, code, stderr]).toEqual([name, 2, expect.stringContaining("name")]);
    }
    expect(existsSync(workspace.file("millrace.yaml"))).toBe(false);
  });
});

describe("millrace predict", () => {
  let server: MillraceProcess;
  beforeAll(async () => {
    server = await MillraceProcess.start(["up", "--server.processes", "1"], { cwd: folder.path });
  });
  afterAll(async () => {
    await server.stop();
  });

  it("finds the one that runs in this folder", async () => {
    const { code, stdout, stderr } = await run("predict --data [[5.1,3.5,1.4,0.2]]");
    expect([code, stderr]).toEqual([0, ""]);
    const { prediction } = JSON.parse(stdout) as { prediction: number[] };
    expect(prediction[0]).toBeCloseTo(0.96691585, 5);
  });
  it("takes a service, a file, a label and a URL", async () => {
    folder.put("rows.json", '{"data": [[5.1,3.5,1.4,0.2],[6.7,3.0,5.2,2.3]]}');
    const { code, stdout } = await run(`predict iris --file rows.json --label --url ${server.url}`);
    expect([code, stdout]).toEqual([0, '{"prediction":["setosa","virginica"]}\n']);
  });
  it("prints all facts with --json", async () => {
    const { stdout } = await run("predict --data [[5.1,3.5,1.4,0.2]] --json");
    expect(JSON.parse(stdout)).toMatchObject({
      prediction: expect.any(Array) as unknown[],
      model: "iris",
    });
  });
  it.each([
    ["predict nobody --data [[1,2,3,4]]", /nobody/],
    ["predict --data [[1,2]]", /found 2 values, expected 4/],
    ["predict --data [[1,2,3,4]] --timeout 1ms --url http://127.0.0.1:9", /127\.0\.0\.1:9/],
  ])("%s: exit 1 and why", async (words, message) => {
    const { code, stdout, stderr } = await run(words);
    expect([code, stdout, stderr]).toEqual([1, "", expect.stringMatching(message)]);
  });
});

describe("the start", () => {
  it("tells a person where everything is", async () => {
    const child = await MillraceProcess.start(["serve", "iris.onnx", "int64.onnx"], {
      cwd: folder.path,
    });
    expect(child.facts).toMatchObject({
      http: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/) as string,
      models: [
        { name: "iris", isReady: true, versions: [1] },
        { name: "int64", isReady: true, versions: [1] },
      ],
    });
    expect(await child.stop()).toBe(0);
  });
});
