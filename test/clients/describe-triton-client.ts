import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ClientServers, DATATYPES, MODELS } from "./client-server.ts";
import { runScript, type Outcomes } from "./python-script.ts";

export type TritonKind = "http" | "http.aio" | "grpc" | "grpc.aio";

const FROM_0 = Array.from({ length: 16 }, (_, i) => i);
const SUMS = [FROM_0.map((i) => i + 1)];
const DIFFERENCES = [FROM_0.map((i) => i - 1)];

interface Refusal {
  readonly status: string;
  readonly message: string;
}

/** Starts servers, runs triton_client.py once with the kind of client, and judges what all four kinds have in common. */
export function describeTritonClient(
  kind: TritonKind,
  describeOwn: (outcomes: () => Outcomes) => void,
): void {
  describe(`tritonclient.${kind}`, () => {
    let servers: ClientServers;
    let outcomes: Outcomes;
    beforeAll(async () => {
      servers = await ClientServers.start();
      outcomes = await runScript("triton_client.py", [kind], servers.description);
    });
    afterAll(() => servers[Symbol.asyncDispose]());

    describeFacts(kind, () => outcomes);
    describeInference(kind, () => outcomes);
    describeRefusals(kind, () => outcomes);
    describeOwn(() => outcomes);
  });
}

function describeFacts(kind: TritonKind, outcomes: () => Outcomes): void {
  it("health calls tell ready, absent and unknown apart", () => {
    const isHttp = kind.startsWith("http");
    expect(outcomes().of("health")).toEqual({
      live: true,
      ready: true,
      model: true,
      version: true,
      absent: false,
      unknown: isHttp ? false : "StatusCode.NOT_FOUND",
    });
  });

  it("server metadata names the extensions that the other cases use", () => {
    expect(outcomes().of("server_metadata")).toEqual({
      name: "millrace",
      version: expect.stringMatching(/^\d+\.\d+\.\d+/) as string,
      extensions: expect.arrayContaining([
        "classification",
        "model_repository",
        "schedule_policy",
        "model_configuration",
        "binary_tensor_data",
        "parameters",
        "statistics",
      ]) as string[],
    });
  });

  it("model metadata describes both inputs and both outputs", () => {
    const metadata = outcomes().of<object>("model_metadata");
    const shape = kind.startsWith("http") ? [-1, 16] : ["-1", "16"];
    const tensor = (name: string): object => ({ name, datatype: "INT32", shape });
    expect(metadata).toMatchObject({
      name: "simple",
      versions: ["1"],
      platform: "onnx_onnxv1",
      inputs: [tensor("INPUT0"), tensor("INPUT1")],
      outputs: [tensor("OUTPUT0"), tensor("OUTPUT1")],
    });
  });

  it("model configuration gives types, and dims without the batch", () => {
    const dims = kind.startsWith("http") ? [16] : ["16"];
    const tensor = (name: string): object => ({ name, data_type: "TYPE_INT32", dims });
    const [simple, simpleString] = outcomes().of<[object, object]>("model_config");
    expect(simple).toMatchObject({
      name: "simple",
      platform: "onnx_onnxv1",
      max_batch_size: 64,
      input: [tensor("INPUT0"), tensor("INPUT1")],
      output: [tensor("OUTPUT0"), tensor("OUTPUT1")],
    });
    const text = { data_type: "TYPE_STRING" };
    expect(simpleString).toMatchObject({ input: [text, text], output: [text, text] });
  });

  it("the repository index lists every model with its state", () => {
    const index =
      outcomes().of<{ name: string; version?: string; state: string; reason?: string }[]>(
        "repository_index",
      );
    expect(index.map(({ name }) => name).toSorted()).toEqual([...MODELS, "absent"].toSorted());
    for (const { name, version, state, reason = "" } of index) {
      if (name === "absent") expect([state, reason]).toEqual(["UNAVAILABLE", expect.any(String)]);
      else expect([name, version, state, reason]).toEqual([name, "1", "READY", ""]);
      if (name === "absent") expect(reason).not.toBe("");
    }
  });

  it("statistics count rows, executions and batch sizes exactly", () => {
    const { before, after, failed } = outcomes().of<{
      before: Statistics;
      after: Statistics;
      failed: Refusal;
    }>("statistics");
    expect(failed.status).toBe(kind.startsWith("http") ? "500" : "StatusCode.INTERNAL");
    const grown = (count: (entry: Statistics) => unknown): number =>
      Number(count(after) ?? 0) - Number(count(before) ?? 0);
    expect(grown((entry) => entry.inference_count)).toBe(4);
    expect(grown((entry) => entry.execution_count)).toBe(2);
    expect(grown((entry) => entry.inference_stats.success?.count)).toBe(2);
    expect(grown((entry) => entry.inference_stats.fail?.count)).toBe(1);
    for (const size of [1, 3]) {
      const runs = (entry: Statistics): unknown =>
        entry.batch_stats?.find((batch) => Number(batch.batch_size) === size)?.compute_infer?.count;
      expect([size, grown(runs)]).toEqual([size, 1]);
    }
    expect(Number(after.last_inference)).toBeGreaterThan(Date.now() - 60_000);
  });
}

interface Statistics {
  readonly last_inference?: number | string;
  readonly inference_count?: number | string;
  readonly execution_count?: number | string;
  readonly inference_stats: {
    readonly success?: { readonly count?: number | string };
    readonly fail?: { readonly count?: number | string };
  };
  readonly batch_stats?: readonly {
    readonly batch_size: number | string;
    readonly compute_infer?: { readonly count?: number | string };
  }[];
}

type Echo = readonly [sent: unknown, received: unknown];

function describeInference(kind: TritonKind, outcomes: () => Outcomes): void {
  it("the simple models add and subtract", () => {
    const both = [SUMS, DIFFERENCES];
    expect(outcomes().of("simple_models")).toEqual({
      simple: both,
      simple_int8: both,
      simple_string: both,
      simple_identity: ["one", "", "three"],
    });
  });

  it.each(DATATYPES)("%s comes back bit by bit", (datatype) => {
    const [sent, received] = outcomes().of<Record<string, Echo>>("datatypes")[datatype] ?? [];
    expect(sent).toBeDefined();
    expect(received).toEqual(sent);
  });

  it.each(["FP16", "FP32", "FP64"])("%s without a form in JSON comes back", (datatype) => {
    const [sent, received] = outcomes().of<Record<string, Echo>>("special_values")[datatype] ?? [];
    expect(sent).toBeDefined();
    expect(received).toEqual(sent);
  });

  it.each(["INT32", "BYTES"])("an empty tensor of %s comes back empty", (datatype) => {
    const [sent, received] = outcomes().of<Record<string, Echo>>("empty_tensors")[datatype] ?? [];
    expect(sent).toEqual([expect.any(String), [2, 0], expect.anything()]);
    expect(received).toEqual(sent);
  });

  it("only the requested output is sent", () => {
    expect(outcomes().of("one_output")).toEqual([null, DIFFERENCES]);
  });

  it("classification gives the top classes of each row with their labels", () => {
    const rows = outcomes().of<string[][]>("classification");
    const best = rows.map(([first]) => first?.split(":").slice(1));
    expect(rows.map((row) => row.length)).toEqual([2, 2]);
    expect(best).toEqual([
      ["0", "setosa"],
      ["2", "virginica"],
    ]);
    for (const row of rows) {
      const values = row.map((entry) => Number(entry.split(":")[0]));
      expect(values[0]).toBeGreaterThan(values[1] ?? Number.NaN);
    }
  });

  it("the id is echoed, and none is made up", () => {
    expect(outcomes().of("identification")).toEqual([
      ["simple", "1", "my-id"],
      ["simple", "1", ""],
    ]);
  });

  it("parameters are taken", () => {
    expect(outcomes().of("parameters")).toEqual(SUMS);
  });

  it("a client that gives up does no harm", () => {
    const { gaveUp, answer } = outcomes().of<{ gaveUp: unknown; answer: unknown }>("still_serves");
    if (kind.startsWith("http")) expect(gaveUp).toMatch(/timeout/i);
    else expect(gaveUp).toMatchObject({ status: "StatusCode.DEADLINE_EXCEEDED" });
    expect(answer).toEqual(DIFFERENCES);
  });
}

/** What is refused: HTTP status, gRPC status, text. */
const REFUSALS: readonly (readonly [string, string, string, RegExp])[] = [
  ["unknown model", "404", "NOT_FOUND", /Request for unknown model/],
  ["unknown version", "404", "NOT_FOUND", /Request for unknown model/],
  ["metadata of an unknown model", "404", "NOT_FOUND", /Request for unknown model/],
  ["model that is not ready", "503", "UNAVAILABLE", /absent/],
  ["wrong shape", "400", "INVALID_ARGUMENT", /\[1, 15\]/],
  ["wrong datatype", "400", "INVALID_ARGUMENT", /INT8.*INT32/],
  ["missing input", "400", "INVALID_ARGUMENT", /INPUT1/],
  ["input twice", "400", "INVALID_ARGUMENT", /twice/],
  ["unknown output", "400", "INVALID_ARGUMENT", /OUTPUT7/],
  ["sequence", "501", "UNIMPLEMENTED", /sequence/],
  ["no number", "500", "INTERNAL", /./],
  ["no text", "400", "INVALID_ARGUMENT", /UTF-8/],
  ["out of time", "504", "DEADLINE_EXCEEDED", /deadline/i],
  ["no admin", "403", "PERMISSION_DENIED", /./],
];

function describeRefusals(kind: TritonKind, outcomes: () => Outcomes): void {
  const isHttp = kind.startsWith("http");

  it.each(REFUSALS)("%s is refused", (name, http, grpc, text) => {
    const refusal = outcomes().of<Record<string, Refusal>>("refusals")[name];
    expect(refusal).toEqual({
      status: isHttp ? http : `StatusCode.${grpc}`,
      message: expect.stringMatching(text) as string,
    });
  });

  it("an admin unloads and loads, a stranger does not", () => {
    expect(outcomes().of("model_control")).toEqual({
      stranger: isHttp ? "401" : "StatusCode.UNAUTHENTICATED",
      before: true,
      unloaded: false,
      infer: {
        status: isHttp ? "503" : "StatusCode.UNAVAILABLE",
        message: expect.stringContaining("simple") as string,
      },
      loaded: true,
      answer: SUMS,
      unknown: {
        status: expect.any(String) as string,
        message: expect.stringContaining("failed to load") as string,
      },
    });
  });
}
