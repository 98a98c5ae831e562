import { appendFileSync, existsSync, globSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { Agent } from "node:http";
import { join } from "node:path";
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
  /** Rounds in which nothing could be shipped. */
  readonly disturbed: number;
  /** Segments that bytes were added to after their writer was killed. */
  readonly damaged: number;
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
/** Every so many rounds, a file where the log process needs a folder: no sink takes anything, or no cursor is kept. */
const DISTURB_EVERY = 4;
const DISTURBED_FOLDERS = ["tmp", "cursors"] as const;

/** More bytes than a frame's header, none of them a frame. */
const TORN = Buffer.alloc(100, 0xa5);

/** Where the file has no other state folder. */
const LOG = ".millrace/log";

/** Longest time of one: everybody else wants the processors too. */
const QUERY_MS_MAX = 120_000;

/** Most rows a query gives. */
const QUERIED_ROWS_MAX = 1_000_000;

/** Kills processes of a real Millrace under load, over and over in the same state folder, and counts rows by name. */
export async function logChaos({ seed, rounds, onProgress }: ChaosOptions): Promise<ChaosReport> {
  using folder = new Workspace({ "millrace.yaml": FILE, "iris.onnx": IRIS });
  const random = new TestRandom(seed);
  const answered = new Map<string, Round>();
  const kills: Record<Victim, number> = { serve: 0, log: 0, all: 0 };
  const counts = { twice: 0, failed: 0, disturbed: 0, damaged: 0 };
  for (let index = 0; index < rounds; index++) {
    const victim = random.pick<Victim>(["serve", "log", "all"]);
    const isDisturbed = index % DISTURB_EVERY === DISTURB_EVERY - 1;
    const undisturb = isDisturbed ? disturb(folder, random) : undefined;
    kills[victim]++;
    if (undisturb !== undefined) counts.disturbed++;
    const isAsked = index % QUERY_EVERY === 0 && undisturb === undefined;
    const ends = await runRound(folder, { victim, random, isAsked });
    undisturb?.();
    counts.twice += ends.twice;
    if (victim === "log") counts.failed += ends.failed;
    if (victim === "all") counts.damaged += tearSegments(folder);
    for (const id of ends.ids) answered.set(id, { index, victim });
    onProgress?.(index + 1);
  }
  counts.twice += await countTwice(folder.path);
  const found = await idsOf(folder.path);
  return {
    answered: answered.size,
    rows: found.size,
    ...lossesOf(answered, found),
    ...counts,
    kills,
  };
}

interface Round {
  readonly index: number;
  readonly victim: Victim;
}

interface RoundEnds {
  readonly ids: readonly string[];
  readonly failed: number;
  readonly twice: number;
}

/** Starts everything, asks, kills, and stops what is left. */
async function runRound(
  folder: Workspace,
  { victim, random, isAsked }: { victim: Victim; random: TestRandom; isAsked: boolean },
): Promise<RoundEnds> {
  await using server = await MillraceProcess.start(["up", "millrace.yaml"], { cwd: folder.path });
  const clients = Array.from({ length: CLIENTS }, () => new Client(server.url));
  await delay(random.next() * ROUND_MS);
  if (victim !== "all") kill(server, victim, random);
  const twice = isAsked ? await countTwice(folder.path) : 0;
  await delay(random.next() * ROUND_MS);
  if (victim === "all") server.signalAll("SIGKILL");
  const ends = await Promise.all(clients.map((client) => client.stop()));
  if (victim !== "all") await server.stop();
  const ids = ends.flatMap((end) => end.ids);
  return { ids, failed: ends.reduce((sum, { failed }) => sum + failed, 0), twice };
}

function lossesOf(
  answered: ReadonlyMap<string, Round>,
  found: ReadonlySet<string>,
): Pick<ChaosReport, "lost" | "lostOfRoundMax" | "lostWithoutKillMax"> {
  const lostOf = new Map<Round["index"], number>();
  const lostWithoutKill = new Map<Round["index"], number>();
  for (const [id, { index, victim }] of answered) {
    if (found.has(id)) continue;
    lostOf.set(index, (lostOf.get(index) ?? 0) + 1);
    if (victim === "log") lostWithoutKill.set(index, (lostWithoutKill.get(index) ?? 0) + 1);
  }
  return {
    lost: [...lostOf.values()].reduce((sum, count) => sum + count, 0),
    lostOfRoundMax: Math.max(0, ...lostOf.values()),
    lostWithoutKillMax: Math.max(0, ...lostWithoutKill.values()),
  };
}

/** @returns what ends it; undefined when there is nothing yet to be disturbed. */
function disturb(folder: Workspace, random: TestRandom): (() => void) | undefined {
  const path = folder.file(`${LOG}/${random.pick(DISTURBED_FOLDERS)}`);
  if (!existsSync(path)) return undefined;
  renameSync(path, `${path}.aside`);
  writeFileSync(path, "");
  return () => {
    rmSync(path);
    renameSync(`${path}.aside`, path);
  };
}

/** As after a power failure: the last segments end with bytes that are no frame. @returns how many. */
function tearSegments(folder: Workspace): number {
  const paths = globSync(`${LOG}/wal/*/*.segment`, { cwd: folder.path });
  for (const path of paths) appendFileSync(join(folder.path, path), TORN);
  return paths.length;
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

/** @returns the lines of the answer without that of the names. */
async function query(cwd: string, sql: string): Promise<readonly string[]> {
  const words = ["query", sql, "--format", "csv", "--rows-max", String(QUERIED_ROWS_MAX)];
  const { code, stdout, stderr } = await runMillrace(words, { cwd, limitMs: QUERY_MS_MAX });
  if (code !== 0) throw new Error(`Cannot query: ${stderr}`);
  return stdout.trimEnd().split("\n").slice(1);
}

async function countTwice(cwd: string): Promise<number> {
  const sql =
    "select count(*) from (select prediction_id from predictions group by 1 having count(*) > 1)";
  return Number((await query(cwd, sql))[0]);
}

async function idsOf(cwd: string): Promise<ReadonlySet<string>> {
  const ids = new Set<string>();
  const rowCount = Number((await query(cwd, "select count(*) from predictions"))[0]);
  const parts = Math.ceil(rowCount / (QUERIED_ROWS_MAX / 2));
  for (let part = 0; part < parts; part++) {
    const where = `hash(prediction_id) % ${parts} = ${part}`;
    const found = await query(cwd, `select prediction_id from predictions where ${where}`);
    for (const id of found) ids.add(id);
  }
  return ids;
}
