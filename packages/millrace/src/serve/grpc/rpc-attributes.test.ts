import { expect, test } from "vitest";
import { Cancellation } from "../../core/cancellation.ts";
import type { RpcCall } from "./rpc.ts";
import { RpcAttributes } from "./rpc-attributes.ts";

const CALL: RpcCall = {
  path: "/inference.GRPCInferenceService/ModelInfer",
  metadata: { "x-target": "a", cookie: "plan=pro; x=y" },
  caller: "shop",
  receivedMs: 0,
  timeoutMs: undefined,
  cancellation: new Cancellation(),
  predictionId: "of the call",
  prediction: undefined,
  rule: undefined,
  variant: undefined,
};

test("RpcAttributes reads metadata as headers, and has neither query nor body", () => {
  const attributes = new RpcAttributes(CALL, "p-1");
  expect(attributes.header("x-target")).toBe("a");
  expect(attributes.header("x-other")).toBeUndefined();
  expect(attributes.cookie("plan")).toBe("pro");
  expect([attributes.query(), attributes.body()]).toEqual([undefined, undefined]);
  expect([attributes.method, attributes.path, attributes.caller]).toEqual([
    "POST",
    "/inference.GRPCInferenceService/ModelInfer",
    "shop",
  ]);
});

test("RpcAttributes draws shares by the prediction, since a stream has many in one call", () => {
  expect(new RpcAttributes(CALL, "p-1").unit).toBe("p-1");
  expect(new RpcAttributes(CALL, "p-2").unit).toBe("p-2");
});
