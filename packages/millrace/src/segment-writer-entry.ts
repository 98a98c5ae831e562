import { systemClock } from "./adapters/clock-system/clock-system.ts";
import { runSegmentWriterThread } from "./adapters/segments-file/run-segment-writer-thread.ts";

/** Composition root of the thread that writes the prediction log. */
runSegmentWriterThread(systemClock);
