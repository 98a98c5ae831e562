import type { ClientContext, Ending, LoadClient, Start } from "./load-client.ts";

/** A client's run in a test: keeps how its requests ended. */
export class TestContext implements ClientContext {
  readonly endings: Ending[] = [];
  readonly #zeroMs = performance.now();
  #seq = 0;
  #waiting: (() => void) | undefined;

  now(): number {
    return performance.now() - this.#zeroMs;
  }

  bodyOf(start: Start): Uint8Array {
    return Buffer.from(`body ${start.seq}`);
  }

  ended(ending: Ending): void {
    this.endings.push(ending);
    this.#waiting?.();
  }

  /** Starts a request now. @returns whether it was sent. */
  send(client: LoadClient, target = 0): boolean {
    return client.send({ seq: this.#seq++, target, intendedMs: this.now() });
  }

  /** @returns the first endings, once there are so many. */
  async ends(count: number): Promise<readonly Ending[]> {
    while (this.endings.length < count) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#waiting = resolve;
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await promise;
    }
    return this.endings;
  }

  /** Starts a request, which must be sent. @returns how it ended. */
  async ask(client: LoadClient, target = 0): Promise<Ending> {
    const count = this.endings.length + 1;
    if (!this.send(client, target)) throw new Error("The request was dropped");
    const endings = await this.ends(count);
    return endings[count - 1] as Ending;
  }
}
