import type { LoadProblem, Spread } from "./load-report.ts";

/** What a generator can be judged by. */
export interface GeneratorFacts {
  readonly starts: { readonly due: number; readonly sent: number; readonly dropped: number };
  readonly response: Spread;
  readonly lag: Spread;
  /** Of the busiest thread, as a share of a core. */
  readonly cpu: number;
  readonly connectionsMax: number;
  readonly isInterrupted: boolean;
}

/** Lags below this one spoil nothing, however short the response times are. */
const LAG_ALLOWED_MS = 1;
const LAG_MAX_MS = 5;
/** Of the response time, both at p99. */
const LAG_SHARE_MAX = 0.1;
const SENT_SHARE_MIN = 0.99;
const CPU_MAX = 0.85;

/** Why a load test does not say what it seems to say: nothing where it does. */
export function problemsOf(facts: GeneratorFacts): LoadProblem[] {
  const problems = [emptyText, lagText, rateText, droppedText, cpuText, interruptedText] as const;
  const codes = ["empty", "lag", "rate", "dropped", "cpu", "interrupted"] as const;
  return problems.flatMap((textOf, at) => {
    const text = textOf(facts);
    return text === undefined ? [] : [{ code: codes[at] as LoadProblem["code"], text }];
  });
}

function emptyText({ starts, response }: GeneratorFacts): string | undefined {
  if (response.count > 0) return undefined;
  return starts.due === 0
    ? "Nothing was measured: no request fell due; measure longer, or at a higher rate"
    : `Nothing was measured: ${counted(starts.due)} requests fell due and none has ended; look whether the server answers, and measure for longer than its answers take`;
}

function lagText({ lag, response }: GeneratorFacts): string | undefined {
  const limitMs = Math.max(LAG_ALLOWED_MS, Math.min(LAG_MAX_MS, LAG_SHARE_MAX * response.p99_ms));
  if (lag.p99_ms <= limitMs) return undefined;
  return (
    `Requests were sent late: 1 % of them by ${milliseconds(lag.p99_ms)} or more, the limit is ${milliseconds(limitMs)} ` +
    `(${percent(LAG_SHARE_MAX)} of the p99 response time, from ${LAG_ALLOWED_MS} to ${LAG_MAX_MS} ms); ` +
    "use a machine with less to do, more --threads or a lower rate"
  );
}

function rateText({ starts }: GeneratorFacts): string | undefined {
  const unsent = starts.due - starts.sent;
  if (starts.due === 0 || unsent <= (1 - SENT_SHARE_MIN) * starts.due) return undefined;
  return (
    `Too few requests were sent: ${counted(starts.sent)} of ${counted(starts.due)} that fell due ` +
    `(${percent(starts.sent / starts.due)}), at least ${percent(SENT_SHARE_MIN)} are needed; ` +
    (starts.dropped > unsent / 2
      ? "allow more connections, or use a lower rate"
      : "use more --threads, a faster machine or a lower rate")
  );
}

function droppedText({ starts, connectionsMax }: GeneratorFacts): string | undefined {
  if (starts.dropped === 0) return undefined;
  return (
    `Requests were dropped: ${counted(starts.dropped)} of ${counted(starts.due)} found all ${counted(connectionsMax)} ` +
    "connections busy, none may; the server answers more slowly than requests come: use a lower rate, or more --max-connections"
  );
}

function cpuText({ cpu }: GeneratorFacts): string | undefined {
  if (cpu <= CPU_MAX) return undefined;
  return (
    `The generator was too busy: its busiest thread took ${percent(cpu)} of a core, the limit is ${percent(CPU_MAX)}; ` +
    "use more --threads, or a lower rate"
  );
}

function interruptedText({ isInterrupted, response }: GeneratorFacts): string | undefined {
  if (!isInterrupted) return undefined;
  return `The test was interrupted after ${counted(response.count)} answers: let it run to its end, or give it a shorter --duration`;
}

function milliseconds(ms: number): string {
  return `${ms >= 100 ? ms.toFixed(0) : ms >= 10 ? ms.toFixed(1) : ms.toFixed(2)} ms`;
}

/** Rounded down below 100 %, so that what is missing stays visible. */
function percent(share: number): string {
  return `${Math.floor(share * 1000 + 1e-9) / 10} %`;
}

function counted(count: number): string {
  return count.toLocaleString("en-US");
}
