import type { CacheCounters } from "../core/cache/cache-counters.ts";
import { isOwnFailure, SharedRun, type Waiter } from "../core/cache/shared-run.ts";
import { Cancellation } from "../core/cancellation.ts";
import type { Clock } from "../core/clock.ts";
import { MillraceError } from "../core/errors.ts";
import type { Tensor } from "../core/tensor/tensor.ts";
import type { CachedTensors, Lookup, TensorCache } from "../ports/tensor-cache.ts";

export interface PredictionCacheOptions<T> {
  readonly cache: TensorCache;
  readonly clock: Clock;
  /** How long a prediction answers. */
  readonly ttlMs: number;
  /** How long it is kept, `ttlMs` or more: what has expired still answers when the service is overloaded. */
  readonly keepMs: number;
  /** `parallel` looks and predicts at once where looking takes time, and takes what is there first. */
  readonly lookup: "before" | "parallel";
  /** May others be answered with it later? Not when it lacks something. */
  readonly isStorable: (result: T) => boolean;
  /** Who made it, to be kept with it. */
  readonly madeBy: (result: T) => string;
  readonly counters: CacheCounters;
}

/**
 * Predicts. It minds the deadline of the request it is made for, and the cancellation it is given. It may go on after
 * that request has ended, because others wait for the same, and must not count on it.
 */
export type PredictionRun<T> = (cancellation: Cancellation) => Promise<T>;

export interface CacheAnswer<T> {
  /** `hit`: no run was needed for this request. */
  readonly cache: "hit" | "miss";
  readonly outputs: readonly Tensor[];
  /** Of the run that made them, be it for another request that came first; undefined when they were stored. */
  readonly result: T | undefined;
  /** As it was stored; undefined where there is a result. */
  readonly madeBy?: string | undefined;
}

/** Times a request waits for others that fail for reasons of their own, before it runs by itself. */
const TAKEOVERS_MAX = 4;

/** Requests that wait for one run; one more runs by itself, and what lets requests in decides about it. */
const WAITERS_MAX = 10_000;

interface Request<T> {
  readonly key: string;
  readonly run: PredictionRun<T>;
  readonly waiter: Waiter;
}

/**
 * Answers from what was predicted before. Requests for the same prediction at the same time make it once. The key says
 * what is the same, versions included, so nothing has ever to be removed because a model changed.
 */
export class PredictionCache<T extends { readonly outputs: readonly Tensor[] }> {
  readonly #options: PredictionCacheOptions<T>;
  /** By key, what is being made; at most one per request in work. */
  readonly #runs = new Map<string, SharedRun<CacheAnswer<T>>>();

  constructor(options: PredictionCacheOptions<T>) {
    this.#options = options;
  }

  /** Predictions that are being made, or looked for. */
  get runCount(): number {
    return this.#runs.size;
  }

  /**
   * @param key of `PredictionKeys`.
   * @param run is called when nothing is found, and with `parallel` while it looks.
   * @returns at once what is in the memory of this process.
   * @throws what the run threw; the reason of the waiter's cancellation; DEADLINE_EXCEEDED.
   */
  answer(
    key: string,
    run: PredictionRun<T>,
    waiter: Waiter,
  ): CacheAnswer<T> | Promise<CacheAnswer<T>> {
    const known = this.#runs.get(key);
    if (known !== undefined) return this.#follow(known, { key, run, waiter });
    const lookup = this.#options.cache.get(key);
    if (lookup instanceof Promise) return this.#lead({ key, run, waiter }, lookup);
    const stored = this.#storedOf(lookup);
    if (stored === undefined) return this.#lead({ key, run, waiter }, lookup);
    this.#options.counters.hit.add();
    return stored;
  }

  /** What was predicted some time, however old, for a request that cannot be predicted now. */
  async stale(key: string): Promise<CachedTensors | undefined> {
    const found = await this.#options.cache.get(key);
    if (typeof found === "string") return undefined;
    this.#options.counters.stale.add();
    return found;
  }

  /** Waits for what another request has begun. Where that fails for reasons of its own, somebody takes it over. */
  async #follow(first: SharedRun<CacheAnswer<T>>, request: Request<T>): Promise<CacheAnswer<T>> {
    const { key, waiter } = request;
    let known: SharedRun<CacheAnswer<T>> | undefined = first;
    for (let i = 0; i < TAKEOVERS_MAX; i++) {
      if (known.waiterCount >= WAITERS_MAX) break;
      try {
        const { outputs, result } = await known.wait(waiter);
        this.#options.counters.hit.add();
        return { cache: "hit", outputs, result };
      } catch (error) {
        if (!isOwnFailure(error) || this.#isOver(waiter)) throw error;
      }
      known = this.#runs.get(key);
      if (known === undefined) return this.#lead(request, "missing");
    }
    this.#options.counters.miss.add();
    return this.#predict(request, waiter.cancellation ?? new Cancellation());
  }

  /** Makes it, for itself and for all who come meanwhile. */
  #lead(request: Request<T>, lookup: Lookup | Promise<Lookup>): Promise<CacheAnswer<T>> {
    const { key, waiter } = request;
    const shared = new SharedRun<CacheAnswer<T>>(this.#options.clock);
    // Its own run minds its deadline.
    const answer = shared.wait({ cancellation: waiter.cancellation, deadlineAtMs: Infinity });
    if (!shared.isRunning) return answer;
    const forget = (): void => {
      if (this.#runs.get(key) === shared) this.#runs.delete(key);
    };
    this.#runs.set(key, shared);
    shared.cancellation.watch(forget);
    // Forgotten before anybody hears of the outcome, so that nobody waits for what has ended.
    shared.start(this.#make(request, lookup, shared.cancellation).finally(forget));
    return answer;
  }

  async #make(
    request: Request<T>,
    lookup: Lookup | Promise<Lookup>,
    cancellation: Cancellation,
  ): Promise<CacheAnswer<T>> {
    if (lookup instanceof Promise && this.#options.lookup === "parallel") {
      return this.#race(request, lookup, cancellation);
    }
    const found = lookup instanceof Promise ? await lookup : lookup;
    const stored = this.#storedOf(found);
    this.#count(stored, found);
    if (stored !== undefined) return stored;
    cancellation.throwIfCancelled();
    return this.#predict(request, cancellation);
  }

  /** Looks and predicts at once. A run that fails has not lost yet: it may be found. */
  async #race(
    request: Request<T>,
    lookup: Promise<Lookup>,
    cancellation: Cancellation,
  ): Promise<CacheAnswer<T>> {
    const own = new Cancellation();
    const unfollow = cancellation.watch(() => own.cancel(cancellation.reason));
    let found: Lookup = "missing";
    const looked = lookup.then((one) => this.#storedOf((found = one)));
    const predicted = this.#predict(request, own);
    const settled = predicted.catch(() => undefined);
    try {
      const answer = (await Promise.race([looked, settled])) ?? (await looked);
      this.#count(answer?.cache === "hit" ? answer : undefined, found);
      if (answer?.cache === "hit") own.cancel(foundMeanwhile());
      return answer ?? (await predicted);
    } finally {
      unfollow();
    }
  }

  async #predict({ key, run }: Request<T>, cancellation: Cancellation): Promise<CacheAnswer<T>> {
    const { cache, clock, keepMs, isStorable } = this.#options;
    const result = await run(cancellation);
    const { outputs } = result;
    if (isStorable(result)) {
      const stored = {
        outputs,
        storedWallMs: clock.wallMs(),
        madeBy: this.#options.madeBy(result),
      };
      cache.set(key, stored, keepMs);
    }
    return { cache: "miss", outputs, result };
  }

  #storedOf(found: Lookup): CacheAnswer<T> | undefined {
    if (typeof found === "string") return undefined;
    const { clock, ttlMs } = this.#options;
    if (clock.wallMs() - found.storedWallMs > ttlMs) return undefined;
    const { outputs, madeBy } = found;
    return { cache: "hit", outputs, result: undefined, madeBy };
  }

  #count(stored: CacheAnswer<T> | undefined, found: Lookup): void {
    const { counters } = this.#options;
    if (stored !== undefined) counters.hit.add();
    else if (found === "unavailable") counters.error.add();
    else counters.miss.add();
  }

  #isOver({ cancellation, deadlineAtMs }: Waiter): boolean {
    return cancellation?.isCancelled === true || this.#options.clock.nowMs() >= deadlineAtMs;
  }
}

function foundMeanwhile(): MillraceError {
  return MillraceError.withoutStack(
    "CANCELLED",
    "Cannot predict: the prediction was found in the cache meanwhile",
  );
}
