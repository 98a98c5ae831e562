import type { LoadPlan } from "../load-plan.ts";
import type { LoadTarget } from "../payloads/load-target.ts";
import { testLoadPlan } from "../test-load-plan.ts";
import { createClient } from "./create-client.ts";
import type { Ending, LoadClient } from "./load-client.ts";

/** A target of tests; without a body unless it has one. */
export function testTarget(url: string, target: Partial<LoadTarget> = {}): LoadTarget {
  return { method: "GET", url, headers: [], body: [], weight: 1, ...target };
}

export type TestPlan = Pick<LoadPlan, "protocol" | "targets"> & Partial<LoadPlan>;

/** A client as a thread has it: something gives up what is late, and collects what has ended. */
export class TestClientRun implements Disposable {
  readonly client: LoadClient;
  readonly endings: Ending[] = [];
  /** Begin of its clock, on that of performance.now(). */
  readonly startMs = performance.now();
  readonly #expiry: NodeJS.Timeout;
  #awaited: { readonly count: number; readonly resolve: () => void } | undefined;
  #seq = 0;

  /** @param bodyOf of starts whose targets have templates. */
  constructor(plan: TestPlan, bodyOf: (seq: number) => Uint8Array = () => new Uint8Array(0)) {
    const now = (): number => performance.now() - this.startMs;
    this.client = createClient(
      testLoadPlan("", { timeoutMs: 20_000, connectionsMax: 10_000, ...plan }),
      {
        now,
        bodyOf: ({ seq }) => bodyOf(seq),
        ended: (ending) => {
          this.endings.push(ending);
          if (this.endings.length === this.#awaited?.count) this.#awaited.resolve();
        },
      },
    );
    this.#expiry = setInterval(() => this.client.expire(now()), 5);
  }

  /** Sends one request. @returns whether it was sent. */
  send(target = 0): boolean {
    const intendedMs = performance.now() - this.startMs;
    return this.client.send({ seq: this.#seq++, target, intendedMs });
  }

  /** Sends so many requests, and waits for the end of all that were ever sent. */
  async ask(count = 1, target = 0): Promise<Ending[]> {
    const awaited = Promise.withResolvers<void>();
    this.#awaited = { count: this.client.underWay + this.endings.length + count, ...awaited };
    for (let i = 0; i < count; i++) {
      if (!this.send(target)) throw new Error("Cannot send: dropped");
    }
    await awaited.promise;
    return this.endings.slice(-count);
  }

  /** Sends one request and waits for its end. */
  async askOne(target = 0): Promise<Ending> {
    const [ending] = await this.ask(1, target);
    return ending as Ending;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#expiry);
    this.client.close();
  }
}
