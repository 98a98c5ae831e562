import { classOf } from "../core/compare/class-of.ts";
import type { ComparedPrediction, Comparator } from "../core/compare/comparison.ts";
import { agreementOf } from "./agreement-of.ts";
import { AgreementGroups, type ComparedRow } from "./agreement-groups.ts";
import { Counts } from "./counts.ts";
import { loggedPredictions } from "./logged-predictions.ts";
import { HourNames } from "./hour-names.ts";
import { LatencyRecorder } from "./latency-recorder.ts";
import type { LoggedRequest, LoggedRow } from "./logged-request.ts";
import {
  shownValue,
  type Disagreement,
  type Measured,
  type ReplayReport,
} from "./replay-report.ts";

/** What became of a request that was replayed. */
export type ReplayOutcome =
  | {
      readonly kind: "answered";
      /** As many as `loggedPredictions` of the request. */
      readonly predictions: readonly ComparedPrediction[];
      readonly inferUs: number;
      readonly totalUs: number;
    }
  | { readonly kind: "failed"; readonly code: string; readonly message: string };

export type TallyReport = Pick<
  ReplayReport,
  "agreement" | "errors" | "latency" | "byHour" | "byLabel" | "disagreements"
>;

const DISAGREEMENTS_MAX = 20;

/** Counts what replayed requests gave, beside what had been logged of them. */
export class ReplayTally {
  readonly #compare: Comparator;
  #compared = 0;
  #agreed = 0;
  #answered = 0;
  readonly #errors = new Counts();
  readonly #loggedErrors = new Counts();
  readonly #hours = new HourNames();
  readonly #byHour = new AgreementGroups();
  readonly #byLabel = new AgreementGroups();
  readonly #disagreements: Disagreement[] = [];
  readonly #infer = new LatencyPair();
  readonly #total = new LatencyPair();

  constructor(compare: Comparator) {
    this.#compare = compare;
  }

  add(request: LoggedRequest, outcome: ReplayOutcome): void {
    const [first] = request.rows;
    if (outcome.kind === "failed") this.#errors.add(outcome.code);
    if (first.errorCode !== undefined) {
      this.#loggedErrors.add(first.errorCode);
      if (outcome.kind === "answered") this.#answered++;
      return;
    }
    if (outcome.kind === "answered") {
      this.#total.record(first.totalUs, outcome.totalUs);
      if (first.role !== "cache") this.#infer.record(first.inferUs, outcome.inferUs);
    }
    const logged = loggedPredictions(request);
    logged.forEach((reference, i) => {
      const place = { row: request.rows[i] ?? first, index: i, count: logged.length };
      this.#addRow(place, reference, outcome);
    });
  }

  #addRow(place: RowPlace, logged: ComparedPrediction, outcome: ReplayOutcome): void {
    if (outcome.kind === "failed") {
      const { code, message } = outcome;
      this.#count(place, logged, { isAgreed: false, isFailed: true, became: undefined });
      if (this.#hasRoom) this.#keep(place, logged, { candidate: code, detail: message });
      return;
    }
    const found = outcome.predictions[place.index] ?? { value: null, label: undefined };
    const { isAgreed, detail = "" } = this.#compare(logged, found);
    this.#count(place, logged, { isAgreed, isFailed: false, became: nameOf(found) });
    if (isAgreed || !this.#hasRoom) return;
    this.#keep(place, logged, { candidate: shownPrediction(found), detail });
  }

  #count({ row }: RowPlace, logged: ComparedPrediction, compared: ComparedRow): void {
    this.#compared++;
    if (compared.isAgreed) this.#agreed++;
    this.#byHour.add(this.#hours.nameOf(row.receivedUs), { ...compared, became: undefined });
    const label = nameOf(logged);
    if (label !== undefined) this.#byLabel.add(label, compared);
  }

  get #hasRoom(): boolean {
    return this.#disagreements.length < DISAGREEMENTS_MAX;
  }

  #keep(
    { row, index, count }: RowPlace,
    logged: ComparedPrediction,
    found: Pick<Disagreement, "candidate" | "detail">,
  ): void {
    this.#disagreements.push({
      predictionId: count === 1 ? row.predictionId : `${row.predictionId}#${index}`,
      inputs: shownValue(row.features),
      logged: shownPrediction(logged),
      ...found,
    });
  }

  /** So far. */
  report(): TallyReport {
    return {
      agreement: agreementOf(this.#agreed, this.#compared),
      errors: {
        candidate: this.#errors.list(),
        logged: this.#loggedErrors.list(),
        answered: this.#answered,
      },
      latency: { inferUs: this.#infer.measured(), totalUs: this.#total.measured() },
      byHour: this.#byHour.list(),
      byLabel: this.#byLabel.list(),
      disagreements: this.#disagreements,
    };
  }
}

/** A row of a request that has `count` of them. */
interface RowPlace {
  readonly row: LoggedRow;
  readonly index: number;
  readonly count: number;
}

class LatencyPair {
  readonly #logged = new LatencyRecorder();
  readonly #candidate = new LatencyRecorder();

  record(loggedUs: number, candidateUs: number): void {
    this.#logged.record(loggedUs);
    this.#candidate.record(candidateUs);
  }

  measured(): Measured {
    return { logged: this.#logged.percentiles(), candidate: this.#candidate.percentiles() };
  }
}

/** Names of classes are cut at this length: a text that a model writes may be long. */
const NAME_CHARACTERS = 60;

function nameOf({ label, value }: ComparedPrediction): string | undefined {
  const name = label ?? classOf(value);
  if (name === undefined || name.length <= NAME_CHARACTERS) return name;
  return `${name.slice(0, NAME_CHARACTERS - 1)}…`;
}

/** `virginica [0.01,0.02,0.97]` */
function shownPrediction({ value, label }: ComparedPrediction): string {
  const shown = shownValue(value);
  return label === undefined || label === value ? shown : `${label} ${shown}`;
}
