import { expect, test } from "vitest";
import { explainLoadError } from "./explain-load-error.ts";

// The messages of onnxruntime that real files produce are tested in runtime-onnx.test.ts.

test("explainLoadError() drops the place in onnxruntime's source when it knows no explanation", () => {
  const error = new Error(
    "/onnxruntime_src/onnxruntime/core/graph/model.cc:187 onnxruntime::Model::Model(onnx::ModelProto&&) " +
      "ModelProto does not have a graph.\nstack",
  );
  expect(explainLoadError(error)).toBe("onnxruntime refuses it: ModelProto does not have a graph.");
});

test("explainLoadError() cuts the text when it is long", () => {
  expect(explainLoadError(new Error("x".repeat(5000))).length).toBeLessThan(400);
});

test("explainLoadError() explains a missing kernel when a type has no CPU implementation", () => {
  const error = new Error("Could not find an implementation for Identity(21) node with name ''");
  expect(explainLoadError(error)).toContain("operator Identity (version 21) has no CPU");
});

test("explainLoadError() still answers when the error is no Error", () => {
  expect(explainLoadError("text")).toBe("onnxruntime refuses it: unknown error");
});
