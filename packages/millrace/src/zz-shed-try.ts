import { connect } from "node:net";
import { Worker, isMainThread, workerData, parentPort } from "node:worker_threads";
import { FrontServer } from "./serve/http/fast-lane/front-server.ts";
import { LoopLoad } from "./core/overload/loop-load.ts";
import { Auth } from "./serve/auth.ts";
import { AccessLog } from "./serve/http/access-log.ts";
import { SystemClock } from "./adapters/clock-system/clock-system.ts";
const COST = 0.5;
if (isMainThread) {
  const clock: any = typeof SystemClock === "function" ? new (SystemClock as any)() : SystemClock;
  const n = (): void => undefined; const log = { debug: n, info: n, warn: n, error: n };
  for (const share of [undefined, 0.1, 0.9]) {
    const load = new LoopLoad({ refusalShareMax: share ?? 0.9, objectiveMs: 100 });
    const busy = { status: 503, headers: [], body: "busy" } as const;
    const server = new FrontServer({}, () => undefined, {
      routes: [{ url: "/predict", handler: async () => {
        await new Promise<void>((r) => setImmediate(r));
        const t = process.cpuUsage(); for (;;) { const u = process.threadCpuUsage(); void u; const d = process.cpuUsage(t); void d; break; }
        const c0 = process.threadCpuUsage(); for (;;) { const d = process.threadCpuUsage(c0); if (d.user + d.system >= COST * 1000) break; }
        return { status: 200, headers: [], body: "ok" }; } }],
      auth: new Auth([]), clock, log, accessLog: new AccessLog("off", log, clock), bodyBytesMax: 1e6, isDraining: () => false,
      admit: () => undefined, shed: () => (share === undefined ? undefined : busy), load,
      busyMs: () => performance.eventLoopUtilization().active, objectiveMs: () => (share === undefined ? 1e9 : 100),
    } as never);
    await new Promise<void>((r) => void server.listen(0, "127.0.0.1", () => r()));
    const port = (server.address() as any).port;
    const w = new Worker(new URL(import.meta.url), { workerData: { port }, execArgv: process.execArgv });
    const result = await new Promise((r) => w.on("message", r));
    console.log("share", share, JSON.stringify(result), "c", load.answerMs.toFixed(3), "d", load.refusalMs.toFixed(3), "allow", load.allowance);
    server.closeAllConnections(); server.close(); await w.terminate();
  }
  process.exit(0);
} else {
  const { port } = workerData; const N = 600; const req = "POST /predict HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\n\r\nx";
  let ok: number[] = [], refused = 0, lat503: number[] = []; let measuring = false;
  for (let i = 0; i < N; i++) {
    const s = connect(port, "127.0.0.1"); let sent = 0;
    const go = () => { sent = performance.now(); s.write(req); };
    s.on("connect", go);
    s.on("data", (d: Buffer) => { const took = performance.now() - sent; const is = d.toString("latin1", 9, 12) === "200";
      if (measuring) { if (is) ok.push(took); else { refused++; lat503.push(took); } }
      setTimeout(go, is ? 20 : 200); });
  }
  setTimeout(() => (measuring = true), 4000);
  setTimeout(() => { const p = (a: number[], q: number) => a.sort((x, y) => x - y)[Math.floor(a.length * q)]?.toFixed(0);
    parentPort!.postMessage({ okPerS: ok.length / 5, inTime: ok.filter((x) => x <= 100).length / 5, refusedPerS: refused / 5, okP50: p(ok, .5), okP99: p(ok, .99), refP50: p(lat503, .5), refP99: p(lat503, .99) }); }, 9000);
}
