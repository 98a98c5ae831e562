import type { Clock } from "../core/clock.ts";
import { MillraceError } from "../core/errors.ts";
import type { JsonValue } from "../core/json.ts";
import { OneAtATime } from "../core/one-at-a-time.ts";
import type { Logger } from "../ports/logger.ts";
import type {
  HistoryQuery,
  OverrideAction,
  OverrideChange,
  OverrideEvent,
  OverrideState,
  OverrideStore,
  StoredOverride,
} from "../ports/override-store.ts";
import type { PersistOrder, ServingProcesses } from "./control-messages.ts";

/** Overrides in force at a time: more are a new file. */
export const OVERRIDES_MAX = 256;
/** Bytes of their values, as JSON: every process gets all of them with every change. */
export const OVERRIDES_BYTES_MAX = 4 * 1024 * 1024;
/** Changes that may wait for the one that is made. */
const CHANGES_WAITING_MAX = 100;
/** The wall clock may be set: an expiry is looked at this often at least. */
const LOOK_MS_MAX = 60_000;
/** Wait before an expiry that could not be applied is tried again. */
const EXPIRY_RETRY_MS = 5_000;
/** Who ends what has a time limit. */
const EXPIRY = "expiry";
const EXPIRED = "expired" as const;

/** Who changes something, and why. */
export interface ChangeFacts {
  readonly by: string;
  readonly reason: string;
  /** The change is for this version only; undefined is whichever there is. */
  readonly versionBefore: number | undefined;
}

/** What a change is to make of the overrides; a path is in one of both. */
export interface WantedChange {
  readonly set: ReadonlyMap<string, JsonValue>;
  /** Paths that are given back to the file. */
  readonly unset: readonly string[];
  /** How long what it sets holds; undefined until it is unset. */
  readonly forMs: number | undefined;
}

export interface OverrideChangesOptions {
  readonly store: OverrideStore;
  readonly processes: ServingProcesses;
  readonly clock: Clock;
  readonly log: Logger;
}

interface PlannedStep {
  readonly path: string;
  readonly action: OverrideAction;
  readonly value: JsonValue | undefined;
}

interface Plan extends Omit<OverrideChange, "steps"> {
  readonly steps: readonly PlannedStep[];
}

/**
 * Makes changes of overrides, one at a time: every process makes ready what the change leads to, the store keeps it
 * as the next version, every process switches. What expires is ended by a change of its own.
 */
export class OverrideChanges {
  readonly #options: OverrideChangesOptions;
  readonly #turns = new OneAtATime(CHANGES_WAITING_MAX);
  #state: OverrideState = { version: 0, overrides: [] };
  /** The one the processes make ready. */
  #plan: Plan | undefined;
  /** Has somebody else written to the store? */
  #isBehind = false;
  #cancelLook: () => void = () => undefined;

  constructor(options: OverrideChangesOptions) {
    this.#options = options;
  }

  /** What is kept and in force. */
  get state(): OverrideState {
    return this.#state;
  }

  /** Reads what is kept, without what expired while nobody looked. @returns what is in force. */
  async start(): Promise<OverrideState> {
    const { store, clock } = this.#options;
    let state = await store.read();
    const expired = expiredBy(state, clock.wallMs());
    if (expired.length > 0) {
      const steps = expired.map(({ path, value }) => ({
        path,
        action: EXPIRED,
        old: value,
        value: undefined,
      }));
      const facts = { atMs: clock.wallMs(), by: EXPIRY, reason: "", expiresAtMs: undefined };
      state = (await store.commit({ ...facts, steps }, state.version)) ?? (await store.read());
    }
    this.#become(state);
    return state;
  }

  /**
   * Makes all of it in one version, or nothing.
   * @throws INVALID_OVERRIDE, OVERRIDE_CONFLICT, OVERLOADED, OVERRIDE_NOT_FOUND when a path to unset has no override,
   * and what a process has against it.
   */
  change({ set, unset, forMs }: WantedChange, facts: ChangeFacts): Promise<OverrideState> {
    return this.#change(facts, forMs, ({ overrides }) => {
      const given = new Set(unset);
      const missing = [...given].filter((path) => !overrides.some((found) => found.path === path));
      if (missing.length > 0) throw noOverride(missing, "; millrace get lists those there are");
      const replaced = overrides.filter(({ path }) => !given.has(path) && isInside(path, set));
      return [
        ...[...given].map((path) => ({ path, action: "unset" as const, value: undefined })),
        ...replaced.map(({ path }) => ({ path, action: "replaced" as const, value: undefined })),
        ...[...set].map(([path, value]) => ({ path, action: "set" as const, value })),
      ];
    });
  }

  /** Every process is ready for the change: keeps it. @throws OVERRIDE_CONFLICT when another one wrote meanwhile. */
  async persist({ version, previous }: PersistOrder): Promise<void> {
    const plan = this.#plan;
    if (plan === undefined || version !== this.#state.version + 1) {
      throw new Error(`Cannot keep version ${version}: it is not the change that is made`);
    }
    const steps = plan.steps.map((step) => ({ ...step, old: previous[step.path] }));
    const state = await this.#options.store.commit({ ...plan, steps }, version - 1);
    if (state === undefined) {
      this.#isBehind = true;
      throw conflict("another process has changed the overrides in this state.dir");
    }
    this.#become(state);
  }

  history(query: HistoryQuery): Promise<readonly OverrideEvent[]> {
    return this.#options.store.history(query);
  }

  /** Forgets the next expiry. */
  close(): void {
    this.#cancelLook();
  }

  #change(
    { by, reason, versionBefore }: ChangeFacts,
    forMs: number | undefined,
    stepsFor: (state: OverrideState) => readonly PlannedStep[],
  ): Promise<OverrideState> {
    return this.#turns.run(async () => {
      const { version } = this.#state;
      if (versionBefore !== undefined && versionBefore !== version) {
        throw conflict(`the version is ${version}, expected ${versionBefore}`);
      }
      const atMs = this.#options.clock.wallMs();
      const expiresAtMs = forMs === undefined ? undefined : atMs + forMs;
      const steps = stepsFor(this.#state);
      // What expired may be gone by now: another change came first.
      if (steps.length > 0) await this.#make({ atMs, by, reason, expiresAtMs, steps });
      return this.#state;
    });
  }

  async #make(plan: Plan): Promise<void> {
    const overrides = after(this.#state, plan);
    checkBounds(overrides);
    this.#plan = plan;
    try {
      await this.#options.processes.change({
        overrides,
        paths: plan.steps.map(({ path }) => path),
        isExpiry: plan.steps.every(({ action }) => action === EXPIRED),
      });
    } finally {
      this.#plan = undefined;
      if (this.#isBehind) await this.#catchUp();
    }
    this.#logMade(plan);
  }

  /** Another Millrace writes to the same store: what it has kept holds here as well. */
  async #catchUp(): Promise<void> {
    this.#isBehind = false;
    this.#become(await this.#options.store.read());
    await this.#options.processes.adoptKept();
  }

  #logMade({ by, reason, steps }: Plan): void {
    const { version } = this.#state;
    const actions = steps.map(({ path, action }) => `${path} ${action}`).join(", ");
    const fields = { overrideVersion: version, by, reason, steps };
    this.#options.log.info(fields, `Overrides v${version}: ${actions}, by ${by}`);
  }

  #become(state: OverrideState): void {
    this.#state = state;
    this.#lookIn(0);
  }

  /** Looks for what has expired, at the time of the next expiry. */
  #lookIn(waitMsMin: number): void {
    const { clock } = this.#options;
    this.#cancelLook();
    const times = this.#state.overrides.flatMap(({ expiresAtMs }) => expiresAtMs ?? []);
    if (times.length === 0) return;
    const leftMs = Math.min(...times) - clock.wallMs();
    const waitMs = Math.min(LOOK_MS_MAX, Math.max(waitMsMin, leftMs));
    this.#cancelLook = clock.schedule(waitMs, () => void this.#expire());
  }

  async #expire(): Promise<void> {
    const { clock, log } = this.#options;
    const facts: ChangeFacts = { by: EXPIRY, reason: "", versionBefore: undefined };
    try {
      if (expiredBy(this.#state, clock.wallMs()).length === 0) return this.#lookIn(0);
      await this.#change(facts, undefined, (state) =>
        expiredBy(state, clock.wallMs()).map(({ path }) => ({
          path,
          action: EXPIRED,
          value: undefined,
        })),
      );
    } catch (error) {
      log.error({ err: error }, "What expired could not be given back to the file; tried again");
      this.#lookIn(EXPIRY_RETRY_MS);
    }
  }
}

function expiredBy({ overrides }: OverrideState, nowMs: number): readonly StoredOverride[] {
  return overrides.filter(({ expiresAtMs = Infinity }) => expiresAtMs <= nowMs);
}

/** Is it a part of one of the paths? */
function isInside(path: string, paths: ReadonlyMap<string, unknown>): boolean {
  return [...paths.keys()].some((whole) => path.startsWith(`${whole}.`));
}

/** The state a plan leads to. */
function after({ version, overrides }: OverrideState, plan: Plan): OverrideState {
  const touched = new Set(plan.steps.map(({ path }) => path));
  const { by, reason, atMs: setAtMs, expiresAtMs } = plan;
  const set = plan.steps.flatMap(({ path, action, value }) =>
    action === "set" && value !== undefined
      ? [{ path, value, version: version + 1, by, reason, setAtMs, expiresAtMs }]
      : [],
  );
  const kept = overrides.filter(({ path }) => !touched.has(path));
  return { version: version + 1, overrides: [...kept, ...set] };
}

/** @throws INVALID_OVERRIDE */
function checkBounds({ overrides }: OverrideState): void {
  const bytes = overrides.reduce(
    (sum, { value }) => sum + Buffer.byteLength(JSON.stringify(value)),
    0,
  );
  const tooMany = overrides.length > OVERRIDES_MAX;
  if (!tooMany && bytes <= OVERRIDES_BYTES_MAX) return;
  const message = tooMany
    ? `there would be ${overrides.length}, at most ${OVERRIDES_MAX} may be in force`
    : `they would have ${bytes} bytes, at most ${OVERRIDES_BYTES_MAX} may be in force`;
  throw new MillraceError(
    "INVALID_OVERRIDE",
    `Cannot set an override: ${message}; unset some, or change the file`,
  );
}

export function noOverride(paths: readonly string[], note: string): MillraceError {
  const quoted = paths.map((path) => JSON.stringify(path)).join(", ");
  const message = `Cannot find an override of ${quoted}: there is none${note}`;
  return new MillraceError("OVERRIDE_NOT_FOUND", message);
}

function conflict(why: string): MillraceError {
  return new MillraceError("OVERRIDE_CONFLICT", `Cannot change the overrides: ${why}`);
}
