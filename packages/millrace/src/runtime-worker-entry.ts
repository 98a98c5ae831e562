import { OnnxRuntime } from "./adapters/runtime-onnx/runtime-onnx.ts";
import { runModelThread } from "./adapters/runtime-worker/run-model-thread.ts";

/** Composition root of a model's thread: the runtime that computes there. */
await runModelThread(new OnnxRuntime());
