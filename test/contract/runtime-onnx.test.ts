import { OnnxRuntime } from "../../packages/millrace/src/adapters/runtime-onnx/runtime-onnx.ts";
import { fixtureModel } from "../fixtures/fixture-model.ts";
import { describeRuntimeContract } from "./runtime-contract.ts";

describeRuntimeContract({
  name: "onnx",
  create: () => new OnnxRuntime(),
  models: { add: fixtureModel("add.onnx"), gather: fixtureModel("gather.onnx") },
});
