import type { Config } from "../config/config.ts";
import type { MetricSnapshot } from "../core/metrics/metrics.ts";
import type { Explanation } from "../core/predictions/explanation.ts";
import type { ServeStatus } from "../serve/serve-status.ts";
import { ForkedProcess } from "./forked-process.ts";

/** A configuration, and which overrides are in it. */
export interface ConfigOrder {
  readonly config: Config;
  /** 0 when there never was one. */
  readonly overrideVersion: number;
}

/** What a serve process is told at its start. */
export interface StartOrder extends ConfigOrder {
  /** Number of the process, from 0: in its log lines and its gauges. */
  readonly index: number;
  /** All of them: limits and cores are divided among so many. */
  readonly processes: number;
  /** Do other processes serve already? Then this one opens the port only when its models are loaded. */
  readonly isRestart: boolean;
}

export interface StartReport extends ServeStatus {
  readonly httpPort: number;
  /** Undefined when it is off. */
  readonly grpcPort: number | undefined;
}

export interface RepositoryOrder {
  readonly action: "load" | "unload";
  readonly model: string;
}

/** A serve process as the supervisor sees it. */
export class ServeProcess extends ForkedProcess {
  start(order: StartOrder): Promise<StartReport> {
    return this.call("start", order);
  }

  /** Hands it a changed file. */
  apply(order: ConfigOrder): Promise<ServeStatus> {
    return this.call("apply", order);
  }

  /** Makes ready a change of live keys; nothing changes yet. @throws what is wrong with it. */
  prepare(order: ConfigOrder): Promise<void> {
    return this.call("prepare", order);
  }

  /** Makes the change that was prepared last. */
  commit(): Promise<void> {
    return this.call("commit", {});
  }

  /** Forgets the change that was prepared last. */
  abort(): Promise<void> {
    return this.call("abort", {});
  }

  status(): Promise<ServeStatus> {
    return this.call("status", {});
  }

  /** What was decided for a prediction; undefined when this process does not remember it. */
  explain(predictionId: string): Promise<Explanation | undefined> {
    return this.call("explain", predictionId);
  }

  metrics(): Promise<readonly MetricSnapshot[]> {
    return this.call("metrics", {});
  }

  repository(order: RepositoryOrder): Promise<void> {
    return this.call("repository", order);
  }

  /** Asks it to finish its requests and end. */
  stop(lameDuckMs: number): void {
    this.call("stop", lameDuckMs).catch(() => undefined); // it may end before it answers
  }
}
