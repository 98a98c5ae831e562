import { compareLoads } from "./zz-r1-compare.ts";
let s = 777;
const rnd = () => { s |= 0; s = (s + 0x6d2b79f5) | 0; let t = Math.imul(s ^ (s >>> 15), 1 | s); t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t; return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32; };
const norm = () => Math.sqrt(-2 * Math.log(1 - rnd())) * Math.cos(2 * Math.PI * rnd());
const qs = (a: Float64Array, p: number) => a.length === 0 ? 0 : a[Math.min(a.length - 1, Math.max(0, Math.ceil(p * a.length) - 1))]!;
interface C { secs: number; rate: number; tauS: number; sd: number; err: number; spike?: number; shift?: number; queue?: number }
function run(o: C, scale = 1) {
  const rho = o.tauS > 0 ? Math.exp(-1 / (o.rate * o.tauS)) : 0;
  let z = norm(); let spikeUntil = -1; const dur = o.secs * 1000;
  const all: number[] = []; const wins: { lat: number[]; bad: number }[] = Array.from({ length: o.secs }, () => ({ lat: [], bad: 0 }));
  let free = 0;
  for (let at = 0; at < dur; at += -Math.log(1 - rnd()) * 1000 / o.rate) {
    z = rho * z + Math.sqrt(1 - rho * rho) * norm();
    if (o.spike && rnd() < o.spike / o.rate) spikeUntil = at + 1200 * rnd();
    let lat = scale * 5 * Math.exp(o.sd * z + 0.3 * norm());
    if (o.queue) { const start = Math.max(at, free); free = start + -Math.log(1 - rnd()) * (1000 / o.rate) * o.queue * scale; lat = free - at; }
    if (at < spikeUntil) lat += spikeUntil - at;
    const w = wins[Math.floor(at / 1000)]!; w.lat.push(lat); all.push(lat);
    if (rnd() < o.err * Math.exp(z - 0.5)) w.bad++;
  }
  const A = Float64Array.from(all).sort();
  const timeline = wins.map(({ lat, bad }, i) => { const L = Float64Array.from(lat).sort(); return { from_ms: i * 1000, due: lat.length, dropped: 0, ok: lat.length - bad, failed: bad, answered: lat.length, p50_ms: qs(L, .5), p90_ms: qs(L, .9), p99_ms: qs(L, .99), max_ms: L.at(-1) ?? 0, lag_p99_ms: 0, under_way: 0, codes: {} }; });
  return { millrace: { name: "x", started: "", arrivals: "x", valid: true, problems: [], targets: [], protocol: "http1", warmup_ms: 0, duration_ms: dur, window_ms: 1000, timeline, response: { count: all.length, p50_ms: qs(A, .5), p90_ms: qs(A, .9), p99_ms: qs(A, .99) }, environment: { millrace: "", node: "", os: "", cpu: "", cores: 1, memory_mib: 1, load_average: 0 } } } as never;
}
const N = Number(process.argv[2] ?? 200);
const cases: Record<string, C> = {
  "iid 60s": { secs: 60, rate: 50, tauS: 0, sd: 0, err: 0.002 },
  "iid 10s": { secs: 10, rate: 50, tauS: 0, sd: 0, err: 0.002 },
  "iid 20s": { secs: 20, rate: 50, tauS: 0, sd: 0, err: 0.002 },
  "tau1 60s": { secs: 60, rate: 50, tauS: 1, sd: 0.3, err: 0.01 },
  "tau1 20s": { secs: 20, rate: 50, tauS: 1, sd: 0.3, err: 0.01 },
  "tau3 60s": { secs: 60, rate: 50, tauS: 3, sd: 0.3, err: 0.01 },
  "tau3 30s": { secs: 30, rate: 50, tauS: 3, sd: 0.3, err: 0.01 },
  "tau3 10s": { secs: 10, rate: 50, tauS: 3, sd: 0.3, err: 0.01 },
  "tau3 300s": { secs: 300, rate: 30, tauS: 3, sd: 0.3, err: 0.01 },
  "tau10 60s": { secs: 60, rate: 50, tauS: 10, sd: 0.3, err: 0.01 },
  "tau10 300s": { secs: 300, rate: 20, tauS: 10, sd: 0.3, err: 0.01 },
  "tau3 sd.1 60s": { secs: 60, rate: 50, tauS: 3, sd: 0.1, err: 0.01 },
  "tau10 sd.1 60s": { secs: 60, rate: 50, tauS: 10, sd: 0.1, err: 0.01 },
  "spikes 60s": { secs: 60, rate: 50, tauS: 0, sd: 0, err: 0, spike: 0.1 },
  "spikes 20s": { secs: 20, rate: 50, tauS: 0, sd: 0, err: 0, spike: 0.1 },
  "M/M/1 .8 60s": { secs: 60, rate: 50, tauS: 0, sd: 0, err: 0, queue: 0.8 },
  "M/M/1 .95 60s": { secs: 60, rate: 50, tauS: 0, sd: 0, err: 0, queue: 0.95 },
  "POWER iid 10% 60s": { secs: 60, rate: 50, tauS: 0, sd: 0, err: 0.002, shift: 1.1 },
  "POWER tau3 30% 60s": { secs: 60, rate: 50, tauS: 3, sd: 0.3, err: 0.002, shift: 1.3 },
  "POWER tau1 20% 60s": { secs: 60, rate: 50, tauS: 1, sd: 0.2, err: 0.002, shift: 1.2 },
};
for (const [name, c] of Object.entries(cases)) {
  let any = 0, unk = 0; const by: Record<string, number> = {};
  for (let i = 0; i < N; i++) {
    const cmp = compareLoads(run(c), run(c, c.shift));
    let hit = false;
    for (const m of cmp.metrics) { if (m.verdict === "better" || m.verdict === "worse") { by[m.metric] = (by[m.metric] ?? 0) + 1; hit = true; } if (m.metric === "p99" && m.verdict === "unknown") unk++; }
    if (hit) any++;
  }
  console.log(name.padEnd(18), "any", (100 * any / N).toFixed(1) + "%", "p99 unknown", (100 * unk / N).toFixed(0) + "%", JSON.stringify(by));
}
