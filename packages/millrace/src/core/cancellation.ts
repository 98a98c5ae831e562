interface Watcher {
  readonly run: () => void;
  /** Its place in the list; -1 once it has left. */
  index: number;
}

/**
 * Tells those who work for a client that it has gone. One serves all requests of a connection, and outlives them.
 *
 * It stands in for an AbortSignal, whose list of listeners costs more than a microsecond a request, and ties each
 * request to the next one: once a listener is old, V8's young collections keep everything that comes after it.
 */
export class Cancellation {
  readonly #watchers: Watcher[] = [];
  #isCancelled = false;
  #reason: unknown;

  get isCancelled(): boolean {
    return this.#isCancelled;
  }

  /** Why, as it was given; undefined as long as it is not cancelled. */
  get reason(): unknown {
    return this.#reason;
  }

  /** Those that would be told. */
  get watcherCount(): number {
    return this.#watchers.length;
  }

  /** @throws the reason when it is cancelled. */
  throwIfCancelled(): void {
    if (this.#isCancelled) throw this.#reason;
  }

  /** Tells everybody who watches, once; a second call changes nothing. */
  cancel(reason: unknown): void {
    if (this.#isCancelled) return;
    this.#isCancelled = true;
    this.#reason = reason;
    for (const watcher of this.#watchers.splice(0)) {
      // One that is told may make another one leave, which is then not told.
      if (watcher.index === -1) continue;
      watcher.index = -1;
      watcher.run();
    }
  }

  /**
   * Calls `run` when it is cancelled; not when it is already.
   * @returns what ends that, in constant time and as often as one likes.
   */
  watch(run: () => void): () => void {
    if (this.#isCancelled) return () => undefined;
    const watchers = this.#watchers;
    const watcher: Watcher = { run, index: watchers.length };
    watchers.push(watcher);
    return () => {
      const { index } = watcher;
      if (index === -1) return;
      watcher.index = -1;
      if (watchers.length === 0) return; // being told
      const last = watchers.pop() as Watcher;
      if (last === watcher) return;
      watchers[index] = last;
      last.index = index;
    };
  }
}
