import { Agent } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import { TestRandom } from "../../packages/millrace/src/core/test-random.ts";
import { ask } from "../e2e/http-client.ts";
import { MillraceProcess, runMillrace } from "../e2e/millrace-process.ts";
import { IRIS, SETOSA, Workspace } from "../e2e/workspace.ts";

export interface ChaosOptions {
  readonly seed: number;
  readonly rounds: number;
  readonly onProgress?: (done: number) => void;
}

export interface ChaosReport {
  readonly answered: number;
  /** Rows of the log at the end. */
  readonly rows: number;
  /** Predictions that were answered and have no row. */
  readonly lost: number;
  /** Most of one round, and of a round in which no serve process was killed. */
  readonly lostOfRoundMax: number;
  readonly lostWithoutKillMax: number;
  /** Ids that a query found twice, at any time. */
  readonly twice: number;
  /** Requests to a process that was not killed, and that got no 200. */
  readonly failed: number;
  /** Rounds by what was killed. */
  readonly kills: Readonly<Record<Victim, number>>;
}

/** `serve`: one of two serve processes; `log`: the one that ships; `all`: every process at once. */
type Victim = "serve" | "log" | "all";

const FILE = `server: { processes: 2, log: { level: warn, access: off } }
log: { roll: 1s }
models:
  iris: { source: ./iris.onnx, reload: off }
services:
  iris: { limits: { concurrency: off }, timeout: 10s }
`;

/** What may be lost of a serve process that is killed: its ring. */
export const RING_RECORDS = 10_000;

const CLIENTS = 6;
/** Of load in a round; the kill comes somewhere in it. */
const ROUND_MS = 900;
/** A query while everything runs, every so many rounds. */
const QUERY_EVERY = 5;

/** Kills processes of a real Millrace under load, over and over in the same state folder, and counts rows by name. */
export async function logChaos({ seed, rounds, onProgress }: ChaosOptions): Promise<ChaosReport> {
  using folder = new Workspace({ "millrace.yaml": FILE, "iris.onnx": IRIS });
  const random = new TestRandom(seed);
  const roundOf = new Map<string, { readonly round: number; readonly victim: Victim }>();
  const kills: Record<Victim, number> = { serve: 0, log: 0, all: 0 };
  let twice = 0;
  let failed = 0;
  for (let round = 0; round < rounds; round++) {
    const victim = random.pick<Victim>(["serve", "log", "all"]);
    kills[victim]++;
    await using server = await MillraceProcess.start(["up", "millrace.yaml"], {
      cwd: folder.path,
    });
    const clients = Array.from({ length: CLIENTS }, () => new Client(server.url));
    await delay(random.next() * ROUND_MS);
    if (victim !== "all") kill(server, victim, random);
    if (round % QUERY_EVERY === 0) twice += await countTwice(folder.path);
    await delay(random.next() * ROUND_MS);
    if (victim === "all") server.signalAll("SIGKILL");
    const ends = await Promise.all(clients.map((client) => client.stop()));
    for (const { ids } of ends) for (const id of ids) roundOf.set(id, { round, victim });
    if (victim === "log") for (const end of ends) failed += end.failed;
    if (victim !== "all") await server.stop();
    onProgress?.(round + 1);
  }
  twice += await countTwice(folder.path);
  const found = await idsOf(folder.path);
  const lostOfRound = new Map<number, number>();
  let lostWithoutKillMax = 0;
  for (const [id, { round, victim }] of roundOf) {
    if (found.has(id)) continue;
    const lost = (lostOfRound.get(round) ?? 0) + 1;
    lostOfRound.set(round, lost);
    if (victim === "log") lostWithoutKillMax = Math.max(lostWithoutKillMax, lost);
  }
  return {
    answered: roundOf.size,
    rows: found.size,
    lost: [...lostOfRound.values()].reduce((sum, count) => sum + count, 0),
    lostOfRoundMax: Math.max(0, ...lostOfRound.values()),
    lostWithoutKillMax,
    twice,
    failed,
    kills,
  };
}

function kill(server: MillraceProcess, victim: "serve" | "log", random: TestRandom): void {
  const [first, ...others] = victim === "serve" ? server.servePids : server.logPids;
  if (first === undefined) return; // it has not begun yet
  process.kill(random.pick([first, ...others]), "SIGKILL");
}

/** Asks one request after the other until it is stopped, and remembers what was answered. */
class Client {
  readonly #ids: string[] = [];
  #failed = 0;
  #isStopped = false;
  readonly #agent = new Agent({ keepAlive: true });
  readonly #done: Promise<void>;

  constructor(url: string) {
    this.#done = this.#run(url);
  }

  async #run(url: string): Promise<void> {
    while (!this.#isStopped) {
      try {
        const body = { data: SETOSA };
        const reply = await ask(url, "/predict", { body, agent: this.#agent });
        if (reply.status === 200) this.#ids.push(String(reply.headers["x-prediction-id"]));
        else this.#failed++;
      } catch {
        this.#failed++;
        await delay(5); // its process was killed
      }
    }
  }

  async stop(): Promise<{ readonly ids: readonly string[]; readonly failed: number }> {
    this.#isStopped = true;
    await this.#done;
    this.#agent.destroy();
    return { ids: this.#ids, failed: this.#failed };
  }
}

async function query(cwd: string, sql: string): Promise<readonly string[]> {
  const words = ["query", sql, "--format", "csv", "--rows-max", "100000000"];
  const { code, stdout, stderr } = await runMillrace(words, { cwd });
  if (code !== 0) throw new Error(`Cannot query: ${stderr}`);
  return stdout.trimEnd().split("\n").slice(1);
}

async function countTwice(cwd: string): Promise<number> {
  const sql =
    "select count(*) from (select prediction_id from predictions group by 1 having count(*) > 1)";
  return Number((await query(cwd, sql))[0]);
}

async function idsOf(cwd: string): Promise<ReadonlySet<string>> {
  return new Set(await query(cwd, "select prediction_id from predictions"));
}
