import type { Clock } from "../core/clock.ts";
import type { LoadWindow } from "../core/load/load-report.ts";
import type { LoadTotals } from "../core/load/load-tally.ts";
import { withoutControls } from "../core/without-controls.ts";
import {
  countText,
  durationText,
  latencyText,
  rateText,
} from "../load-test/reports/load-figures.ts";
import type { CommandIo } from "./command.ts";
import { liveFrame, type LivePhase, type LiveSecond } from "./load-live-frame.ts";
import { ScreenBlock } from "./screen-block.ts";
import type { TerminalStyle } from "./terminal-style.ts";

/** Time between two pictures, at least. */
const DRAWN_EVERY_MS = 250;
/** Seconds of the picture of p99. */
const PICTURE_SECONDS = 60;
/** Time between two lines where nothing can be drawn. */
const LINE_EVERY_MS = 10_000;

/** What is about to be measured. */
export interface LiveRun {
  /** One line: `iris: 500/s, constant`. */
  readonly title: string;
  /** Infinity: until it is interrupted. */
  readonly durationMs: number;
}

/** How a load test goes, on the last lines of a terminal; a line every ten seconds where errors do not go to one. */
export class LoadLiveView {
  readonly #stderr: CommandIo["stderr"];
  readonly #style: TerminalStyle;
  readonly #clock: Clock;
  readonly #block: ScreenBlock;
  #run: LiveRun = { title: "", durationMs: 0 };
  /** Unix time at which the measured time begins; undefined until it is known. */
  #startedAtMs: number | undefined;
  #second: LiveSecond | undefined;
  #totals: LoadTotals = NO_TOTALS;
  #toldMs = 0;
  #lineTotals: LoadTotals = NO_TOTALS;
  #lineMs = 0;
  #p99sMs: (number | undefined)[] = [];
  #cancel: (() => void) | undefined;

  /** @param style of where errors go. */
  constructor(stderr: CommandIo["stderr"], style: TerminalStyle, clock: Clock) {
    this.#stderr = stderr;
    this.#style = style;
    this.#clock = clock;
    this.#block = new ScreenBlock(stderr);
  }

  /** Of the next one, once the one before has ended. */
  begin(run: LiveRun): void {
    this.#run = { ...run, title: withoutControls(run.title) };
    this.#startedAtMs = undefined;
    this.#second = undefined;
    this.#totals = NO_TOTALS;
    this.#lineTotals = NO_TOTALS;
    this.#lineMs = 0;
    this.#p99sMs = [];
    if (this.#stderr.isTTY === true && this.#cancel === undefined) this.#draw();
  }

  /** @param startedAtMs Unix time at which the measured time begins. */
  measureFrom(startedAtMs: number): void {
    this.#startedAtMs = startedAtMs;
    this.#toldMs = 0;
  }

  /** Takes in a second of the run. */
  add(window: LoadWindow, totals: LoadTotals): void {
    const passedMs = this.#passedMs();
    const before = this.#totals;
    const seconds = Math.max(1, Math.round((passedMs - this.#toldMs) / 1000));
    const isAnswered = window.ok + window.failed > 0;
    this.#totals = totals;
    this.#toldMs = passedMs;
    // While the last answers are awaited nothing falls due: what was last stays.
    if (!this.#isOver() || this.#second === undefined) {
      this.#second = {
        due: (totals.due - before.due) / seconds,
        sent: (totals.sent - before.sent) / seconds,
        answered: (endedOf(totals) - endedOf(before)) / seconds,
        latency: isAnswered
          ? { p50: window.p50_ms, p99: window.p99_ms, max: window.max_ms }
          : undefined,
      };
      this.#p99sMs = [...this.#p99sMs, isAnswered ? window.p99_ms : undefined].slice(
        -PICTURE_SECONDS,
      );
    }
    if (this.#stderr.isTTY !== true) this.#writeLine(passedMs);
  }

  /** Writes a line above the view, which goes on below it. */
  print(line: string): void {
    this.#block.clear();
    this.#stderr.write(`${line}\n`);
  }

  /** Takes it away. */
  end(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#block.clear();
  }

  #draw(): void {
    const lines = liveFrame(this.#state(), this.#terminal()).slice(0, this.#block.rowsMax);
    this.#block.show(
      lines.map(({ text }) => text),
      lines.map(({ length }) => length),
      this.#clock.nowMs(),
    );
    this.#cancel = this.#clock.schedule(DRAWN_EVERY_MS, () => this.#draw());
  }

  /** Its width may have changed; one that has none does not know it. */
  #terminal(): TerminalStyle {
    const { columns = 0 } = this.#stderr;
    return columns > 0 ? { ...this.#style, width: columns } : this.#style;
  }

  #state(): Parameters<typeof liveFrame>[0] {
    const { codes, underWay, dropped } = this.#totals;
    return {
      title: this.#run.title,
      phase: this.#phase(),
      second: this.#second,
      p99sMs: this.#p99sMs,
      codes,
      underWay,
      dropped,
    };
  }

  #phase(): LivePhase {
    if (this.#startedAtMs === undefined) return { kind: "connecting" };
    const passedMs = this.#passedMs();
    if (passedMs < 0) return { kind: "warm-up", leftMs: -passedMs };
    if (this.#isOver()) return { kind: "draining" };
    return { kind: "measuring", passedMs, durationMs: this.#run.durationMs };
  }

  #passedMs(): number {
    return this.#startedAtMs === undefined ? 0 : this.#clock.wallMs() - this.#startedAtMs;
  }

  #isOver(): boolean {
    return this.#passedMs() >= this.#run.durationMs;
  }

  #writeLine(passedMs: number): void {
    if (passedMs - this.#lineMs < LINE_EVERY_MS) return;
    const { sent, failed, dropped, underWay, p50Ms, p99Ms, maxMs } = this.#totals;
    const { durationMs } = this.#run;
    const seconds = Math.max(1, Math.round((passedMs - this.#lineMs) / 1000));
    const sentRate = (sent - this.#lineTotals.sent) / seconds;
    const answeredRate = (endedOf(this.#totals) - endedOf(this.#lineTotals)) / seconds;
    const passed = durationText(Math.min(durationMs, Math.floor(passedMs / 1000) * 1000));
    const of = durationMs === Infinity ? "" : ` of ${durationText(durationMs)}`;
    this.#stderr.write(
      `${passed}${of}: ${rateText(sentRate)} sent, ${rateText(answeredRate)} answered; so far p50 ${latencyText(p50Ms)}, p99 ${latencyText(p99Ms)}, max ${latencyText(maxMs)}, ${countText(failed)} failed, ${countText(dropped)} dropped; ${countText(underWay)} under way\n`,
    );
    this.#lineTotals = this.#totals;
    this.#lineMs = passedMs;
  }
}

const NO_TOTALS: LoadTotals = {
  due: 0,
  sent: 0,
  ok: 0,
  failed: 0,
  dropped: 0,
  underWay: 0,
  codes: {},
  p50Ms: 0,
  p99Ms: 0,
  maxMs: 0,
};

function endedOf({ ok, failed }: LoadTotals): number {
  return ok + failed;
}
