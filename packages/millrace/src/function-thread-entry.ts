import { runFunctionThread } from "./adapters/functions-thread/run-function-thread.ts";

/** Composition root of a function's thread: what `millrace` is there. */
const library = import.meta.url.endsWith(".ts") ? "function-library.ts" : "function-library.js";
await runFunctionThread(new URL(`functions/${library}`, import.meta.url));
