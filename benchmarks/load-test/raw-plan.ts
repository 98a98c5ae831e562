import type { LoadPlan } from "../../packages/millrace/src/load-test/load-plan.ts";

const BODY = Buffer.from('{"data":[[5.1,3.5,1.4,0.2]]}');

/** A small POST at a constant rate from one thread, for measurements of the generator itself. */
export function rawPlan(url: string, rate: number, durationMs: number): LoadPlan {
  const headers = [["content-type", "application/json"]] as const;
  return {
    name: "raw",
    protocol: "http1",
    targets: [{ method: "POST", url, headers, body: [{ kind: "bytes", bytes: BODY }], weight: 1 }],
    choice: "in-turn",
    rows: undefined,
    arrivals: { kind: "open", profile: { kind: "constant", rate }, spacing: "constant" },
    warmupMs: 3000,
    durationMs,
    timeoutMs: 30_000,
    connectionsAtStart: 16,
    connectionsMax: 1000,
    connectionsKept: 1000,
    keepAlive: true,
    tls: { insecure: false, rootCertificates: [], certificate: undefined, privateKey: undefined },
    connect: { localAddress: undefined, unixSocket: undefined },
    threads: 1,
    seed: 1,
  };
}
