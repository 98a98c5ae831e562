import { arrivalsText } from "../core/load/arrivals-text.ts";
import type { LoadFacts, LoadReport, LoadWindow } from "../core/load/load-report.ts";
import type { LoadTotals } from "../core/load/load-tally.ts";
import { judgeObjective, type Objective } from "../core/load/objective.ts";
import { shownUrl } from "../core/load/shown-url.ts";
import { problemsOf } from "../core/load/validity.ts";
import { BlockTally } from "./block-tally.ts";
import { readEnvironment } from "./environment.ts";
import type { LoadPlan } from "./load-plan.ts";
import type { ResultBlock } from "./result-block.ts";
import { type RunFacts, runLoad } from "./run-load.ts";
import { WindowTicker } from "./window-ticker.ts";

export interface MeasureLoadOptions {
  readonly plan: LoadPlan;
  readonly objectives: readonly Objective[];
  /** As it was typed, secrets left out; for the report. */
  readonly command: string;
  /** Ends the run at once; the report then has what was measured until then, and the problem `interrupted`. */
  readonly signal?: AbortSignal | undefined;
  /** Called when the connections are open. @param startedAtMs Unix time at which the measured time begins. */
  onBegin?(startedAtMs: number): void;
  /** Called with all results once they are counted. While a promise is not kept, no further ones are. */
  onResults?(block: ResultBlock, startedAtMs: number): void | Promise<void>;
  /** Called every second with the window of the second before, as far as its results are there. */
  onWindow?(window: LoadWindow, totals: LoadTotals): void;
}

/**
 * Does what a plan says and reports on it.
 * @throws LoadInputError when the server cannot be reached, or does not take what it is sent.
 */
export async function measureLoad(options: MeasureLoadOptions): Promise<LoadReport> {
  const { plan, signal } = options;
  const environment = readEnvironment();
  const run = new MeasuredRun(options);
  try {
    const facts = await runLoad(plan, {
      ...(signal !== undefined && { signal }),
      onBegin: (startedAtMs) => run.begin(startedAtMs),
      onBlock: (block, startedAtMs) => run.add(block, startedAtMs),
    });
    return run.report(facts, environment);
  } finally {
    run.end();
  }
}

/** Targets that a report names. */
const TARGETS_NAMED_MAX = 20;

/** Counts a run while it goes on. */
class MeasuredRun {
  readonly #options: MeasureLoadOptions;
  #blocks: BlockTally | undefined;
  #ticker: WindowTicker | undefined;
  #memoryBytesPeak = 0;

  constructor(options: MeasureLoadOptions) {
    this.#options = options;
  }

  begin(startedAtMs: number): BlockTally {
    if (this.#blocks !== undefined) return this.#blocks;
    const blocks = new BlockTally(startedAtMs);
    this.#blocks = blocks;
    this.#ticker = new WindowTicker(startedAtMs, (second) => this.#tick(blocks, second));
    this.#options.onBegin?.(startedAtMs);
    return blocks;
  }

  add(block: ResultBlock, startedAtMs: number): void | Promise<void> {
    this.begin(startedAtMs).add(block);
    return this.#options.onResults?.(block, startedAtMs);
  }

  end(): void {
    this.#ticker?.stop();
  }

  report(facts: RunFacts, environment: LoadFacts["environment"]): LoadReport {
    const { plan, objectives, command } = this.#options;
    // None where it was interrupted before it began.
    const blocks = this.#blocks ?? new BlockTally(facts.startedAtMs);
    const { millrace: tallied, ...vegeta } = blocks.tally.report();
    const problems = problemsOf({
      ...facts,
      ...tallied,
      cpu: blocks.cpu,
      connectionsMax: plan.connectionsMax,
    });
    this.#sampleMemory();
    const report: LoadReport = {
      ...vegeta,
      millrace: {
        format: 1,
        name: plan.name,
        started: new Date(facts.startedAtMs).toISOString(),
        command,
        protocol: plan.protocol,
        targets: targetTexts(plan),
        arrivals: arrivalsText(plan.arrivals),
        seed: plan.seed,
        warmup_ms: plan.warmupMs,
        duration_ms: facts.durationMs,
        valid: problems.length === 0,
        problems,
        starts: facts.starts,
        ...tallied,
        generator: {
          threads: facts.threads,
          cpu: blocks.cpu,
          memory_mib: Math.round(this.#memoryBytesPeak / 2 ** 20),
          connections_peak: blocks.connectionsPeak,
        },
        objectives: [],
        environment,
      },
    };
    const judged = objectives.map((objective) => judgeObjective(objective, report));
    return { ...report, millrace: { ...report.millrace, objectives: judged } };
  }

  #tick(blocks: BlockTally, second: number): void {
    this.#sampleMemory();
    const { tally, underWay } = blocks;
    const window = tally.window(Math.floor((second * 1000) / tally.windowMs), underWay);
    this.#options.onWindow?.(window, tally.totals(underWay));
  }

  #sampleMemory(): void {
    this.#memoryBytesPeak = Math.max(this.#memoryBytesPeak, process.memoryUsage.rss());
  }
}

function targetTexts({ targets }: LoadPlan): string[] {
  const texts = [...new Set(targets.map(({ method, url }) => `${method} ${shownUrl(url)}`))];
  if (texts.length <= TARGETS_NAMED_MAX) return texts;
  return [...texts.slice(0, TARGETS_NAMED_MAX), `and ${texts.length - TARGETS_NAMED_MAX} more`];
}
