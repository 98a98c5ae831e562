import type { CompareConfig } from "../../config/shadow-config.ts";
import { compareEqual } from "../../core/compare/compare-equal.ts";
import { compareLabel } from "../../core/compare/compare-label.ts";
import { compareLeaders } from "../../core/compare/compare-leaders.ts";
import { compareNumbers } from "../../core/compare/compare-numbers.ts";
import { compareRows } from "../../core/compare/compare-rows.ts";
import { compareTolerance, type Tolerance } from "../../core/compare/compare-tolerance.ts";
import { compareTopK } from "../../core/compare/compare-top-k.ts";
import { comparedRows } from "../../core/compare/compared-rows.ts";
import type { Comparator, Comparison } from "../../core/compare/comparison.ts";
import { namesClasses } from "../../core/compare/names-classes.ts";
import { messageOf } from "../../core/message-of.ts";
import type { Predictor } from "../../models/predictor.ts";
import type {
  ComparedPair,
  OpenComparator,
  SourceComparator,
} from "../../ports/comparator-source.ts";

/** Of `auto`, where no classes are predicted: absolute and relative. */
const TOLERANCE_AUTO = 0.001;

/** Compares what the shadow predicts with the answer. It never throws: a comparison that fails is a difference. */
export interface ShadowComparator {
  /** @param predictor what answered. */
  compare(pair: ComparedPair, predictor: Predictor): Comparison | Promise<Comparison>;
  close(): void;
}

/**
 * @param open undefined where nothing opens functions: then each comparison says so.
 * @param onFailed told why a comparison failed.
 */
export function shadowComparator(
  config: CompareConfig,
  open: OpenComparator | undefined,
  onFailed: (error: unknown) => void,
): ShadowComparator {
  if (config.kind === "function") return new FunctionComparison(config.path, open, onFailed);
  const byNumbers = quickOf(config);
  const byValues = comparatorOf(config);
  return {
    compare: (pair, { predictionOutput }) =>
      config.kind === "auto" && namesClasses(predictionOutput)
        ? compareHere(compareLabel, compareLeadersOf, pair)
        : compareHere(byValues, byNumbers, pair),
    close: () => undefined,
  };
}

/** Compares numbers as they lie in memory; gives undefined where it cannot tell. */
type QuickComparator = (pair: ComparedPair) => Comparison | undefined;

function quickOf(config: Exclude<CompareConfig, { readonly kind: "function" }>): QuickComparator {
  switch (config.kind) {
    case "label":
      return compareLeadersOf;
    case "top-k":
      return () => undefined;
    case "equal":
      return compareNumbersBy(undefined);
    case "auto":
      return compareNumbersBy(toleranceOf(TOLERANCE_AUTO));
    case "tolerance":
      return compareNumbersBy(toleranceOf(config.tolerance));
  }
}

function compareLeadersOf({ answer, shadow, rowCount }: ComparedPair): Comparison | undefined {
  return compareLeaders(answer, shadow, rowCount);
}

function compareNumbersBy(tolerance: Tolerance | undefined): QuickComparator {
  return ({ answer, shadow, rowCount }) => compareNumbers(answer, shadow, { tolerance, rowCount });
}

function toleranceOf(tolerance: number): Tolerance {
  return { absolute: tolerance, relative: tolerance };
}

function comparatorOf(config: Exclude<CompareConfig, { readonly kind: "function" }>): Comparator {
  switch (config.kind) {
    case "auto":
      return compareTolerance(toleranceOf(TOLERANCE_AUTO));
    case "equal":
      return compareEqual;
    case "label":
      return compareLabel;
    case "tolerance":
      return compareTolerance(toleranceOf(config.tolerance));
    case "top-k":
      return compareTopK(config.k);
  }
}

function compareHere(compare: Comparator, quick: QuickComparator, pair: ComparedPair): Comparison {
  const { answer, shadow, rowCount } = pair;
  try {
    const found = quick(pair);
    if (found !== undefined) return found;
    return compareRows(compare, comparedRows(answer, rowCount), comparedRows(shadow, rowCount));
  } catch (error) {
    return failed(error);
  }
}

/** A function of the user, opened with the first pair, and again when that fails. */
class FunctionComparison implements ShadowComparator {
  readonly #path: string;
  readonly #open: OpenComparator | undefined;
  readonly #onFailed: (error: unknown) => void;
  #opened: Promise<SourceComparator> | undefined;

  constructor(path: string, open: OpenComparator | undefined, onFailed: (error: unknown) => void) {
    this.#path = path;
    this.#open = open;
    this.#onFailed = onFailed;
  }

  async compare(pair: ComparedPair): Promise<Comparison> {
    try {
      if (this.#open === undefined) throw new Error("nothing runs functions here");
      this.#opened ??= this.#open(this.#path);
      const opened = await this.#opened.catch((error: unknown) => {
        this.#opened = undefined;
        throw error;
      });
      return await opened.compare(pair);
    } catch (error) {
      this.#onFailed(error);
      return failed(error);
    }
  }

  close(): void {
    void this.#opened?.then((opened) => opened.close()).catch(() => undefined);
    this.#opened = undefined;
  }
}

function failed(error: unknown): Comparison {
  return { isAgreed: false, detail: `the comparison failed: ${messageOf(error)}` };
}
