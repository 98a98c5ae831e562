import { runLoadThread } from "./load-test/run-load-thread.ts";

/** What a thread of a load test runs. */
await runLoadThread();
