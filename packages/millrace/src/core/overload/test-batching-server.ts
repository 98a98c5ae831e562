/**
 * A model server in simulated time, for tests: one executor that runs whatever waits, at most `rowsMax` together, in
 * `perRowMs` · n + `baseMs`.
 */
export class TestBatchingServer {
  nowMs = 0;
  readonly #perRowMs: number;
  readonly #baseMs: number;
  readonly #rowsMax: number;
  #waiting: (() => void)[] = [];
  #running: (() => void)[] = [];
  #endsAtMs = Infinity;

  constructor(perRowMs: number, baseMs: number, rowsMax: number) {
    this.#perRowMs = perRowMs;
    this.#baseMs = baseMs;
    this.#rowsMax = rowsMax;
  }

  /** Rows a second when every batch is full. */
  get capacityPerSecond(): number {
    return (1000 * this.#rowsMax) / (this.#perRowMs * this.#rowsMax + this.#baseMs);
  }

  get isIdle(): boolean {
    return this.#endsAtMs === Infinity && this.#waiting.length === 0;
  }

  /** Work for one row; `done` is called at its end, at `nowMs`, and may offer more. */
  offer(done: () => void): void {
    this.#waiting.push(done);
  }

  /** Ends every batch until `untilMs`; what was offered together runs together. */
  advanceTo(untilMs: number): void {
    this.#start();
    while (this.#endsAtMs <= untilMs) {
      this.nowMs = this.#endsAtMs;
      const ended = this.#running;
      this.#running = [];
      this.#endsAtMs = Infinity;
      for (const done of ended) done();
      this.#start();
    }
    this.nowMs = untilMs;
  }

  #start(): void {
    if (this.#endsAtMs !== Infinity || this.#waiting.length === 0) return;
    this.#running = this.#waiting.splice(0, this.#rowsMax);
    this.#endsAtMs = this.nowMs + this.#perRowMs * this.#running.length + this.#baseMs;
  }
}
