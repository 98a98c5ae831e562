import type { MetricSnapshot } from "../core/metrics/metrics.ts";
import type { FoundRows } from "../core/predictions/explanation.ts";
import type { ForgetOrder, ForgetResult, LogOrder, LogStatus } from "../shipping/log-messages.ts";
import { ForkedProcess } from "./forked-process.ts";

/** The log process as whoever keeps it sees it. */
export class LogProcess extends ForkedProcess {
  start(order: LogOrder): Promise<void> {
    return this.call("start", order);
  }

  /** Goes on with a changed file. */
  apply(order: LogOrder): Promise<void> {
    return this.call("apply", order);
  }

  /** The rows of a prediction; undefined when it is not known. */
  find(predictionId: string): Promise<FoundRows | undefined> {
    return this.call("find", predictionId);
  }

  /** @throws LOG_UNAVAILABLE when it cannot delete. */
  forget(order: ForgetOrder): Promise<ForgetResult> {
    return this.call("forget", order);
  }

  status(): Promise<LogStatus> {
    return this.call("status", {});
  }

  metrics(): Promise<readonly MetricSnapshot[]> {
    return this.call("metrics", {});
  }

  stop(): void {
    this.call("stop", {}).catch(() => undefined); // it ends before it answers
  }
}
