import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { LoadReport } from "../../packages/millrace/src/core/load/load-report.ts";
import { testCertificate } from "../../packages/millrace/src/load-test/clients/test-certificate.ts";
import type { LoadPlan } from "../../packages/millrace/src/load-test/load-plan.ts";
import { measureLoad } from "../../packages/millrace/src/load-test/measure-load.ts";
import type {
  BodyPart,
  LoadTarget,
} from "../../packages/millrace/src/load-test/payloads/load-target.ts";
import { testLoadPlan } from "../../packages/millrace/src/load-test/test-load-plan.ts";
import { MillraceProcess } from "./millrace-process.ts";
import { IRIS, Workspace } from "./workspace.ts";

const FILE = `
models: { iris: ./iris.onnx }
services: { iris: { default: true } }
`;

const { cert, key } = testCertificate();

function folderWith(file: string): Workspace {
  return new Workspace({
    "millrace.yaml": file,
    "iris.onnx": IRIS,
    "cert.pem": cert,
    "key.pem": key,
  });
}

let folder: Workspace;
let server: MillraceProcess;
beforeAll(async () => {
  folder = folderWith(FILE);
  server = await MillraceProcess.start(["serve", "millrace.yaml"], { cwd: folder.path });
});
afterAll(async () => {
  await server.stop();
  folder[Symbol.dispose]();
});

const INPUT = '{"name":"float_input","shape":[1,4],"datatype":"FP32","data":[5.1,3.5,1.4,0.2]}';

function bytes(text: string): BodyPart {
  return { kind: "bytes", bytes: Buffer.from(text) };
}

function target(model: string, body: readonly BodyPart[], scheme = "http"): LoadTarget {
  const url = `${scheme}://${server.facts.grpc ?? ""}/v2/models/${model}/infer`;
  return { method: "POST", url, headers: [], body, weight: 1 };
}

/** 50 calls in half a second. */
function measure(
  targets: readonly LoadTarget[],
  plan: Partial<LoadPlan> = {},
): Promise<LoadReport> {
  return measureLoad({
    plan: testLoadPlan("", { protocol: "grpc", targets, ...plan }),
    objectives: [],
    command: "test",
  });
}

describe("a load test of Millrace over gRPC", () => {
  it("has an answer to every call, from several threads", async () => {
    const report = await measure([target("iris", [bytes(`{"inputs":[${INPUT}]}`)])], {
      threads: 2,
      connectionsAtStart: 2,
    });
    expect(report).toMatchObject({ requests: 50, success: 1, errors: [] });
    expect(report.status_codes).toEqual({ "200": 50 });
    // Two inputs of [1], [1, 3] with their names: a frame of some hundred bytes.
    expect(report.bytes_in.mean).toBeGreaterThan(50);
  });

  it("sends a message of its own for each call when the body is a template", async () => {
    const body = [bytes('{"id":"'), { kind: "uuid" }, bytes(`","inputs":[${INPUT}]}`)] as const;
    const report = await measure([target("iris", body)]);
    expect(report).toMatchObject({ requests: 50, success: 1, errors: [] });
  });

  it("says what the server has against calls it refuses", async () => {
    const report = await measure([
      target("iris", [bytes(`{"inputs":[${INPUT.replace("float_input", "other")}]}`)]),
      target("absent", [bytes(`{"inputs":[${INPUT}]}`)]),
    ]);
    expect(report.status_codes).toEqual({ "400": 25, "404": 25 });
    expect(report.errors.toSorted()).toEqual([
      expect.stringMatching(/^400 INVALID_ARGUMENT: .*unknown input "other"/),
      expect.stringMatching(/^404 NOT_FOUND: .*absent/),
    ]);
  });

  it("goes over TLS when the server has a certificate", async () => {
    using own = folderWith(`server: { tls: { cert: cert.pem, key: key.pem } }${FILE}`);
    await using secure = await MillraceProcess.start(["serve", "millrace.yaml"], {
      cwd: own.path,
    });
    const url = `https://${secure.facts.grpc ?? ""}/v2/models/iris/infer`;
    const tls = {
      insecure: false,
      rootCertificates: [cert],
      certificate: undefined,
      privateKey: undefined,
    };
    const targets = [{ ...target("iris", [bytes(`{"inputs":[${INPUT}]}`)]), url }];
    expect(await measure(targets, { tls })).toMatchObject({ requests: 50, success: 1 });
  });
});
