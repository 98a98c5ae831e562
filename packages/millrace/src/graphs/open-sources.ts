/** Something that is open, shared by all who asked for the same. */
export interface Lease<T> {
  readonly value: T;
  /** To be called once; the last one closes it. */
  release(): void;
}

interface Shared {
  readonly opening: Promise<Closable>;
  holders: number;
}

interface Closable {
  close(): Promise<void>;
}

/** What steps are made from, each opened once for all services that name it. */
export class OpenSources {
  readonly #shared = new Map<string, Shared>();

  /**
   * @param key same for what is the same.
   * @throws what `open` throws; the next call tries again.
   */
  async acquire<T extends Closable>(key: string, open: () => Promise<T>): Promise<Lease<T>> {
    let shared = this.#shared.get(key);
    if (shared === undefined) {
      shared = { opening: open(), holders: 0 };
      this.#shared.set(key, shared);
    }
    const held = shared;
    held.holders++;
    let isReleased = false;
    const release = (): void => {
      if (isReleased) return;
      isReleased = true;
      held.holders--;
      if (held.holders > 0) return;
      if (this.#shared.get(key) === held) this.#shared.delete(key);
      void held.opening.then((opened) => opened.close()).catch(() => undefined);
    };
    try {
      return { value: (await held.opening) as T, release };
    } catch (error) {
      release();
      throw error;
    }
  }
}
