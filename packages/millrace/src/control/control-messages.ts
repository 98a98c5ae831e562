import type { Config } from "../config/config.ts";
import type { ConfigRow } from "../config/print.ts";
import type { JsonValue } from "../core/json.ts";
import type { Explanation } from "../core/predictions/explanation.ts";
import type { ModelStatus } from "../models/served-model.ts";
import type { OverrideState } from "../ports/override-store.ts";
import type { ForgetOrder, ForgetResult, LogStatus } from "../shipping/log-messages.ts";

/** What the control process is told at its start. */
export interface ControlOrder {
  readonly config: Config;
  /** 0 takes a free one. */
  readonly port: number;
  /** May it be another one when this one is in use? */
  readonly mayMove: boolean;
  /** Of `millrace up`, milliseconds since 1970-01-01 UTC. */
  readonly startedAtMs: number;
}

export interface ControlReport {
  readonly port: number;
  /** In force by now; what expired while nothing ran is left out. */
  readonly overrides: OverrideState;
}

/** What the processes are to make ready. */
export interface ChangeOrder {
  /** As the change will be: every override that is then in force. */
  readonly overrides: OverrideState;
  /** Paths whose values change. */
  readonly paths: readonly string[];
  /** Nobody is there to mend what no longer fits then: it is set aside. */
  readonly isExpiry: boolean;
}

export interface PersistOrder {
  /** Version the change will have. */
  readonly version: number;
  /** In force until now, by path. */
  readonly previous: Readonly<Record<string, JsonValue | undefined>>;
}

/** An override that does not fit the file as it is now: kept, but not in force. */
export interface SetAside {
  readonly path: string;
  readonly version: number;
  readonly why: string;
}

export interface UpStatus {
  readonly name: string;
  /** Version of the overrides that every process has. */
  readonly overrideVersion: number;
  readonly setAside: readonly SetAside[];
  readonly processes: readonly {
    /** 0, 1, … of the serve processes, and `control`. */
    readonly process: number | string;
    readonly pid: number | undefined;
    readonly state: "down" | "starting" | "running";
    readonly restarts: number;
  }[];
  /** As one of the serve processes has them. */
  readonly models: readonly ModelStatus[];
  readonly services: readonly {
    readonly name: string;
    readonly isDefault: boolean;
    /** What it runs: a model, or `graph of a, b`. */
    readonly runs: string;
    /** Why its graph cannot serve, or is not the newest; undefined when all is well. */
    readonly problem: string | undefined;
    /** In words, as they are printed at the start. */
    readonly limits: string;
  }[];
}

/** The prediction log as all processes together have it. */
export interface LogReport {
  readonly log: LogStatus;
  /** What the serve processes have left out since they started, by reason. */
  readonly dropped: Readonly<Record<string, number>>;
  /** What they have logged without inputs and prediction, likewise. */
  readonly withoutPayload: Readonly<Record<string, number>>;
}

/** What the control role asks of the processes that serve, through their supervisor. */
export interface ServingProcesses {
  /**
   * Makes the change in every process, or in none: all of them make it ready, it is kept (`PersistOrder`), all of
   * them switch. @throws INVALID_OVERRIDE or another error of the table when one cannot.
   */
  change(order: ChangeOrder): Promise<void>;
  /** Brings into force what control keeps by now, as far as it fits the file. */
  adoptKept(): Promise<void>;
  status(): Promise<UpStatus>;
  /** Live keys with the values in force; of one path only when it is given. @throws INVALID_OVERRIDE when it is none. */
  liveValues(path: string | undefined): Promise<readonly ConfigRow[]>;
  /**
   * What was decided for a prediction; undefined when no process remembers it and the log does not have it.
   * @throws LOG_UNAVAILABLE when the log cannot be asked.
   */
  explain(predictionId: string): Promise<Explanation | undefined>;
  /** @throws LOG_UNAVAILABLE */
  logStatus(): Promise<LogReport>;
  /** Takes out of the log what is there of a unit, and leaves out what is on its way. @throws LOG_UNAVAILABLE */
  forget(order: ForgetOrder): Promise<ForgetResult>;
}
