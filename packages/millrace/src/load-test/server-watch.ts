import type { ServerView } from "../core/load/load-report.ts";
import { readServerCounts, type ServerCounts } from "./server-counts.ts";
import { serverView } from "./server-view.ts";

/** Where a Millrace tells what it does. */
export interface WatchedServer {
  /** `http://127.0.0.1:9090/metrics` */
  readonly metricsUrl: string;
  /** Whose predictions count; undefined: all. */
  readonly service: string | undefined;
}

/** Longest wait for the metrics of a server; it may be busy. */
const ANSWER_MS_MAX = 5_000;

/** A metrics page is some 100 KiB. */
const PAGE_BYTES_MAX = 16 * 2 ** 20;

/** Looks at the metrics of a server when the measured time begins, and when it has ended. */
export class ServerWatch {
  readonly #server: WatchedServer;
  #timer: NodeJS.Timeout | undefined;
  #before: Promise<ServerCounts | undefined> | undefined;

  constructor(server: WatchedServer) {
    this.#server = server;
  }

  /** @param startedAtMs Unix time at which the measured time begins. */
  begin(startedAtMs: number): void {
    const look = (): void => {
      this.#before = this.#look();
    };
    const waitMs = startedAtMs - Date.now();
    if (waitMs <= 0) look();
    else this.#timer = setTimeout(look, waitMs);
  }

  /** @returns undefined when the server does not tell, is no Millrace, or was started again. */
  async end(): Promise<ServerView | undefined> {
    clearTimeout(this.#timer);
    const before = await this.#before;
    const after = before === undefined ? undefined : await this.#look();
    if (before === undefined || after === undefined) return undefined;
    const isOlder = (after.atMost.get(Infinity) ?? 0) >= (before.atMost.get(Infinity) ?? 0);
    return isOlder ? serverView(before, after) : undefined;
  }

  /** A server that does not answer costs only this view. */
  async #look(): Promise<ServerCounts | undefined> {
    const { metricsUrl, service } = this.#server;
    try {
      const response = await fetch(metricsUrl, { signal: AbortSignal.timeout(ANSWER_MS_MAX) });
      if (Number(response.headers.get("content-length") ?? 0) > PAGE_BYTES_MAX) return undefined;
      return readServerCounts(await response.text(), service);
    } catch {
      return undefined;
    }
  }
}
