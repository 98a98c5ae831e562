import type { LoadPlan } from "./load-plan.ts";

/** A small plan for tests: 50 GETs in half a second from one thread. */
export function testLoadPlan(url: string, overrides: Partial<LoadPlan> = {}): LoadPlan {
  return {
    name: "test",
    protocol: "http1",
    targets: [{ method: "GET", url, headers: [], body: [], weight: 1 }],
    choice: "in-turn",
    rows: undefined,
    arrivals: { kind: "open", profile: { kind: "constant", rate: 100 }, spacing: "constant" },
    warmupMs: 0,
    durationMs: 500,
    timeoutMs: 30_000,
    connectionsAtStart: 1,
    connectionsMax: 1000,
    connectionsKept: 1000,
    keepAlive: true,
    tls: { insecure: false, rootCertificates: [], certificate: undefined, privateKey: undefined },
    connect: { localAddress: undefined, unixSocket: undefined },
    threads: 1,
    seed: 1,
    ...overrides,
  };
}
