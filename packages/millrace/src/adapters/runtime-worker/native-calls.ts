const RUNNING = 0;
const IS_ENDING = 1;

/**
 * Counts, in memory that a thread and its process share, the work of the thread that may be inside native code.
 *
 * Node ends its threads when the process exits. onnxruntime-node 1.30 then cannot return from a run or a load and
 * aborts the whole process (exit code 134, a core file), so `process.exit` waits here first, as long as Node would
 * wait for the thread anyway.
 */
export class NativeCalls {
  /** To be handed to the other side. */
  readonly memory: SharedArrayBuffer;
  readonly #cells: Int32Array<SharedArrayBuffer>;

  /** @param memory of the other side; by default new memory, for a thread that does nothing yet. */
  constructor(memory = new SharedArrayBuffer(2 * Int32Array.BYTES_PER_ELEMENT)) {
    this.memory = memory;
    this.#cells = new Int32Array(memory);
  }

  /** In the thread, before native work. @returns false when the process is ending: the work must not start. */
  begin(): boolean {
    Atomics.add(this.#cells, RUNNING, 1);
    if (Atomics.load(this.#cells, IS_ENDING) === 0) return true;
    this.end();
    return false;
  }

  /** In the thread, after native work for which `begin` returned true. */
  end(): void {
    Atomics.sub(this.#cells, RUNNING, 1);
    Atomics.notify(this.#cells, RUNNING);
  }

  /**
   * In the process, which stands still meanwhile: lets no more work start and waits until none is running.
   * @returns false when some still runs after `waitMsMax`.
   */
  endAll(waitMsMax: number): boolean {
    Atomics.store(this.#cells, IS_ENDING, 1);
    const endMs = performance.now() + waitMsMax;
    let running = Atomics.load(this.#cells, RUNNING);
    while (running > 0 && performance.now() < endMs) {
      Atomics.wait(this.#cells, RUNNING, running, endMs - performance.now());
      running = Atomics.load(this.#cells, RUNNING);
    }
    return running === 0;
  }
}
