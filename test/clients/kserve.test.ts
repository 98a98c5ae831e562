import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ClientServers, DATATYPES } from "./client-server.ts";
import { runScript, type Outcomes } from "./python-script.ts";

const FROM_0 = Array.from({ length: 16 }, (_, i) => i);
const SUMS = [FROM_0.map((i) => i + 1)];
const DIFFERENCES = [FROM_0.map((i) => i - 1)];

type Echoes = Readonly<Record<string, readonly [sent: unknown, received: unknown]>>;

let servers: ClientServers;
let outcomes: Outcomes;
beforeAll(async () => {
  servers = await ClientServers.start();
  outcomes = await runScript("kserve_clients.py", [], servers.description);
});
afterAll(() => servers[Symbol.asyncDispose]());

function expectEcho(echoes: Echoes, datatype: string): void {
  const [sent, received] = echoes[datatype] ?? [];
  expect(sent).toBeDefined();
  expect(received).toEqual(sent);
}

describe("KServe's InferenceRESTClient", () => {
  it("reads health", () => {
    expect(outcomes.of("rest_health")).toEqual({
      live: true,
      ready: true,
      model: true,
      absent: false,
      unknown: false,
    });
  });

  it("gets the same answers for tensors as JSON and as bytes", () => {
    const answer = [SUMS, DIFFERENCES];
    expect(outcomes.of("rest_simple")).toEqual(Array.from({ length: 5 }, () => answer));
  });

  it("finds its id and the model", () => {
    expect(outcomes.of("rest_identity")).toEqual(["my-id", "simple"]);
  });

  it.each([...DATATYPES, "FP16 special", "FP32 special", "FP64 special"])(
    "%s comes back bit by bit as bytes",
    (datatype) => expectEcho(outcomes.of("rest_datatypes"), datatype),
  );

  it.each(DATATYPES.filter((datatype) => datatype !== "FP16"))(
    "%s comes back bit by bit as JSON",
    (datatype) => expectEcho(outcomes.of("rest_json_datatypes"), datatype),
  );

  it("reads the text of errors, for which their content type must be exact", () => {
    expect(outcomes.of("rest_refusals")).toEqual({
      "unknown model": {
        status: 404,
        message: expect.stringContaining("Request for unknown model") as string,
      },
      "not ready": { status: 503, message: expect.stringContaining("absent") as string },
      "wrong shape": { status: 400, message: expect.stringContaining("[1, 15]") as string },
    });
  });
});

describe("KServe's InferenceGRPCClient", () => {
  it("reads health", () => {
    expect(outcomes.of("grpc_health")).toEqual({
      live: true,
      ready: true,
      model: true,
      absent: false,
    });
  });

  it("adds, subtracts and finds its id", () => {
    expect(outcomes.of("grpc_simple")).toEqual(["my-id", SUMS, DIFFERENCES]);
  });

  it.each(DATATYPES)("%s comes back bit by bit as raw contents", (datatype) =>
    expectEcho(outcomes.of("grpc_datatypes"), `${datatype} raw`),
  );

  it.each(DATATYPES.filter((datatype) => datatype !== "FP16"))(
    "%s comes back bit by bit as typed contents",
    (datatype) => expectEcho(outcomes.of("grpc_datatypes"), `${datatype} typed`),
  );

  it("reads status and text of errors", () => {
    expect(outcomes.of("grpc_refusals")).toEqual({
      "unknown model": {
        status: "NOT_FOUND",
        message: expect.stringContaining("Request for unknown model") as string,
      },
      "not ready": { status: "UNAVAILABLE", message: expect.stringContaining("absent") as string },
      "wrong shape": {
        status: "INVALID_ARGUMENT",
        message: expect.stringContaining("[1, 15]") as string,
      },
      "out of time": { status: "DEADLINE_EXCEEDED", message: expect.any(String) as string },
    });
  });
});
