import type { Redis, RedisOptions } from "ioredis";
import type { Clock } from "../../core/clock.ts";
import { Breaker, type BreakerPermit } from "../../core/overload/breaker.ts";
import type { Logger } from "../../ports/logger.ts";
import type { CachedTensors, Lookup, TensorCache } from "../../ports/tensor-cache.ts";
import { decodeCached } from "./decode-cached.ts";
import { encodeCached } from "./encode-cached.ts";
import { loadIoredis } from "./load-ioredis.ts";
import { redisAddressOf, type RedisAddress } from "./redis-address.ts";

export interface RedisTensorCacheOptions {
  /** `redis://`, `rediss://`, or the absolute path of a socket; may hold a password, which is never printed. */
  readonly url: string;
  readonly clock: Clock;
  readonly log: Logger;
  /** Numbers in [0, 1); spreads the attempts of processes to connect again. */
  readonly random: () => number;
  /** An answer that comes later is no help any more: the model could have answered. Default 50 ms. */
  readonly answerMsMax?: number;
}

/** Before each key. The number changes when values of before mean something else; they are left to their time. */
const KEY_PREFIX = "millrace:1:";

const ANSWER_MS_MAX = 50;

/** A connection on which nothing comes for that long, though something is asked, is given up. */
const SILENCE_MS_MAX = 500;

const CONNECT_MS_MAX = 1_000;

/** Between attempts to connect: the first, doubled each time up to the second, varied by half. */
const RETRY_MS = 50;
const RETRY_MS_MAX = 2_000;

/** Commands under way; what comes on top is not asked. */
const PENDING_MAX = 1_000;

/** Values on their way to the server; what comes on top is not stored. */
const PENDING_BYTES_MAX = 64 * 1024 * 1024;

/** Larger values are not stored, and not read. */
const VALUE_BYTES_MAX = 16 * 1024 * 1024;

/**
 * Keeps tensors in Redis or Valkey, where all processes find them. Nothing waits for it: while it is away or too slow
 * every value is unavailable at once, and a breaker stops asking a server that keeps its callers waiting.
 */
export class RedisTensorCache implements TensorCache {
  readonly #redis: Redis;
  readonly #address: RedisAddress;
  readonly #options: RedisTensorCacheOptions;
  #breaker: Breaker;
  #pending = 0;
  #pendingBytes = 0;
  /** What is logged once, when it begins. */
  #isUp: boolean | undefined;
  #lastError = "";
  #refusal: string | undefined;

  /** Begins to connect, and does not wait for it. @throws NOT_IMPLEMENTED when the client is not installed. */
  static async open(options: RedisTensorCacheOptions): Promise<RedisTensorCache> {
    const { Redis } = await loadIoredis();
    return new RedisTensorCache(new Redis(options.url, clientOptions(options)), options);
  }

  private constructor(redis: Redis, options: RedisTensorCacheOptions) {
    this.#redis = redis;
    this.#options = options;
    this.#address = redisAddressOf(options.url);
    this.#breaker = this.#newBreaker();
    redis.on("ready", () => this.#connected());
    redis.on("error", (error: Error) => (this.#lastError = error.message));
    redis.on("close", () => this.#lost());
  }

  /** Is it connected, and answers in time? */
  get isUp(): boolean {
    return this.#redis.status === "ready" && this.#breaker.state === "closed";
  }

  get(key: string): Lookup | Promise<Lookup> {
    const permit = this.#permit();
    return permit === undefined ? "unavailable" : this.#read(key, permit);
  }

  set(key: string, value: CachedTensors, ttlMs: number): void {
    if (this.#pendingBytes >= PENDING_BYTES_MAX || this.#redis.status !== "ready") return;
    const bytes = encodeCached(key, value, VALUE_BYTES_MAX);
    if (bytes === undefined) return;
    const permit = this.#permit();
    if (permit !== undefined) void this.#write(key, bytes, ttlMs, permit);
  }

  setBounds(): void {
    // The server has its own: maxmemory, and what it evicts.
  }

  usage(): undefined {
    return undefined;
  }

  close(): Promise<void> {
    this.#isUp = false; // the end is no loss
    this.#redis.disconnect();
    return Promise.resolve();
  }

  #permit(): BreakerPermit | undefined {
    if (this.#redis.status !== "ready" || this.#pending >= PENDING_MAX) return undefined;
    const permit = this.#breaker.tryAcquire();
    return permit.kind === "permit" ? permit : undefined;
  }

  async #read(key: string, permit: BreakerPermit): Promise<Lookup> {
    try {
      const command = this.#redis.getrangeBuffer(KEY_PREFIX + key, 0, VALUE_BYTES_MAX - 1);
      const bytes = await this.#inTime(command, 0);
      this.#breaker.record(permit, "ok", 0);
      return decodeCached(key, bytes) ?? "missing";
    } catch (error) {
      return this.#countFailure(error, permit) === "refused" ? "missing" : "unavailable";
    }
  }

  async #write(key: string, bytes: Buffer, ttlMs: number, permit: BreakerPermit): Promise<void> {
    try {
      const ttl = Math.max(1, Math.round(ttlMs));
      await this.#inTime(this.#redis.set(KEY_PREFIX + key, bytes, "PX", ttl), bytes.length);
      this.#breaker.record(permit, "ok", 0);
      this.#refusal = undefined;
    } catch (error) {
      this.#countFailure(error, permit);
    }
  }

  /** Gives a command up that takes too long; it counts as pending until it is answered, or the connection is. */
  #inTime<T>(command: Promise<T>, bytes: number): Promise<T> {
    const { clock, answerMsMax = ANSWER_MS_MAX } = this.#options;
    this.#pending++;
    this.#pendingBytes += bytes;
    return new Promise((resolve, reject) => {
      // An answer that has come while this thread was busy is in time.
      const giveUp = (): void => clock.soon(() => reject(new Error("no answer in time")));
      const stop = clock.schedule(answerMsMax, giveUp);
      const settle = (): void => {
        stop();
        this.#pending--;
        this.#pendingBytes -= bytes;
      };
      command.finally(settle).then(resolve, reject);
    });
  }

  /** A server that says no is there; one that says nothing, or has gone, is not. */
  #countFailure(error: unknown, permit: BreakerPermit): "refused" | "silent" {
    const { name, message } = error as Error;
    if (name !== "ReplyError") {
      // What a lost connection took with it says nothing about the next one.
      this.#breaker.record(permit, this.#redis.status === "ready" ? "failed" : "ignored", 0);
      return "silent";
    }
    this.#breaker.record(permit, "ignored", 0);
    const kind = message.split(" ", 1)[0] ?? "";
    if (this.#refusal !== kind) {
      this.#refusal = kind;
      const reason = this.#address.redact(message);
      this.#options.log.warn(
        { cache: this.#address.text, reason },
        "the cache refuses what it is asked; predictions go on without it",
      );
    }
    return "refused";
  }

  #connected(): void {
    this.#breaker = this.#newBreaker();
    this.#setUp(true, "");
  }

  #lost(): void {
    this.#setUp(false, this.#lastError === "" ? "the connection was closed" : this.#lastError);
    this.#lastError = "";
  }

  #newBreaker(): Breaker {
    const { clock, random, answerMsMax = ANSWER_MS_MAX } = this.#options;
    const reason = `no answer within ${answerMsMax} ms`;
    return new Breaker({
      clock,
      random,
      onTransition: (_, to) => {
        if (to !== "halfOpen") this.#setUp(to === "closed", reason);
      },
    });
  }

  #setUp(isUp: boolean, reason: string): void {
    if (this.#isUp === isUp) return;
    this.#isUp = isUp;
    const cache = this.#address.text;
    const { log } = this.#options;
    if (isUp) log.info({ cache }, "the cache answers");
    else {
      const fields = { cache, reason: this.#address.redact(reason) };
      log.warn(fields, "the cache is away; predictions go on without it");
    }
  }
}

function clientOptions({ random }: RedisTensorCacheOptions) {
  return {
    // What cannot be asked now is not asked: nothing is kept for later, nothing sent twice.
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    socketTimeout: SILENCE_MS_MAX,
    connectTimeout: CONNECT_MS_MAX,
    retryStrategy: (times: number) =>
      Math.min(RETRY_MS_MAX, RETRY_MS * 2 ** Math.min(times, 10)) * (0.5 + random()),
    // Understood by all servers; nothing here needs the newer one.
    protocol: 2,
    disableClientInfo: true,
  } satisfies RedisOptions;
}
