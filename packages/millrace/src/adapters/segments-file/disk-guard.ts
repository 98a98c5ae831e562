import type { Clock } from "../../core/clock.ts";
import type { DiskLevel } from "../../ports/segments.ts";

/** What the guard looks at. */
export interface DiskUse {
  /** Of the segments of all writers. */
  readonly walBytes: number;
  /** Share of the disk that is free, 0 to 1. */
  readonly freeShare: number;
}

export interface DiskLimits {
  readonly walBytesMax: number;
  /** Share of the disk that stays free, 0 to 1. */
  readonly diskFreeMin: number;
}

export interface DiskGuardOptions extends DiskLimits {
  readonly clock: Clock;
  /** @throws when it cannot be told; then the level stays as it is. */
  readonly measure: () => DiskUse;
  readonly onLevel: (level: DiskLevel, reason: string) => void;
}

/** Time from one look to the next; longer when a look takes long, as it does with very many segments. */
const LOOK_MS = 1_000;

/** Share of its thread's time that looking takes at most. */
const LOOK_SHARE_MAX = 0.05;

/** From the best to the worst. `walShare` of `walBytesMax` is used, or the free share is below that of `diskFreeMin`. */
const LEVELS = [
  { level: "all", walShare: 0, freeFactor: Infinity },
  { level: "no_payload", walShare: 0.8, freeFactor: 1 },
  { level: "sampled", walShare: 0.9, freeFactor: 1 / 2 },
  { level: "nothing", walShare: 1, freeFactor: 1 / 4 },
] as const satisfies readonly { level: DiskLevel; walShare: number; freeFactor: number }[];

/** A level is left only when what led to it is better by this: 5 % of `walBytesMax`, or a tenth of the free share. */
const WAL_SHARE_SLACK = 0.05;
const FREE_FACTOR_SLACK = 1.1;

/** Watches how full the disk is, once a second, and tells when that changes what may be written. */
export class DiskGuard {
  readonly #options: DiskGuardOptions;
  #level = 0;
  #walBytes = 0;
  #cancel: () => void = () => undefined;

  constructor(options: DiskGuardOptions) {
    this.#options = options;
    this.#look();
  }

  /** At the last look. */
  get walBytes(): number {
    return this.#walBytes;
  }

  stop(): void {
    this.#cancel();
  }

  #look(): void {
    const { clock } = this.#options;
    const startMs = clock.nowMs();
    this.#measure();
    const tookMs = clock.nowMs() - startMs;
    this.#cancel = clock.schedule(Math.max(LOOK_MS, tookMs / LOOK_SHARE_MAX), () => this.#look());
  }

  #measure(): void {
    let use: DiskUse;
    try {
      use = this.#options.measure();
    } catch {
      return; // Writing fails too then, and tells.
    }
    this.#walBytes = use.walBytes;
    const level = nextLevel(this.#level, use, this.#options);
    if (level === this.#level) return;
    this.#level = level;
    this.#options.onLevel(LEVELS[level]?.level ?? "all", describeUse(use, this.#options));
  }
}

/** @returns index of the level, given that of now. */
function nextLevel(current: number, use: DiskUse, limits: DiskLimits): number {
  const reached = levelOf(use, limits, 0, 1);
  const notLeft = levelOf(use, limits, WAL_SHARE_SLACK, FREE_FACTOR_SLACK);
  return Math.max(reached, Math.min(current, notLeft));
}

function levelOf(
  { walBytes, freeShare }: DiskUse,
  { walBytesMax, diskFreeMin }: DiskLimits,
  walSlack: number,
  freeSlack: number,
): number {
  return LEVELS.findLastIndex(
    ({ level, walShare, freeFactor }) =>
      level === "all" ||
      walBytes / walBytesMax >= walShare - walSlack ||
      freeShare < diskFreeMin * freeFactor * freeSlack,
  );
}

function describeUse({ walBytes, freeShare }: DiskUse, limits: DiskLimits): string {
  const wal = `rows that no sink has yet take ${percent(walBytes / limits.walBytesMax)} of log.walMax`;
  return `${wal}, ${percent(freeShare)} of the disk is free (log.diskFree: ${percent(limits.diskFreeMin)})`;
}

function percent(share: number): string {
  return `${Number((share * 100).toPrecision(3))} %`;
}
