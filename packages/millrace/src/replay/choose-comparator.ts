import { compareEqual } from "../core/compare/compare-equal.ts";
import { compareLabel } from "../core/compare/compare-label.ts";
import { compareTolerance } from "../core/compare/compare-tolerance.ts";
import { compareTopK } from "../core/compare/compare-top-k.ts";
import type { Comparator } from "../core/compare/comparison.ts";
import { classCountOf, namesClasses } from "../core/compare/names-classes.ts";
import type { Predictor } from "../models/predictor.ts";

export type CompareChoice =
  /** By what the candidate predicts. */
  | { readonly kind: "auto"; readonly tolerance: number }
  | { readonly kind: "equal" | "label" }
  /** Absolute and relative. */
  | { readonly kind: "tolerance"; readonly tolerance: number }
  | { readonly kind: "top-k"; readonly k: number }
  | { readonly kind: "custom"; readonly name: string; readonly compare: Comparator };

export interface ChosenComparator {
  /** `label`, `tolerance 0.001`, `top-2`. */
  readonly name: string;
  readonly compare: Comparator;
}

/** @returns why that cannot be compared, for people. */
export function chooseComparator(
  choice: CompareChoice,
  predictor: Predictor,
): ChosenComparator | { readonly problem: string } {
  switch (choice.kind) {
    case "auto":
      return namesClasses(predictor.predictionOutput)
        ? { name: "label", compare: compareLabel }
        : toleranceOf(choice.tolerance);
    case "equal":
      return { name: "equal", compare: compareEqual };
    case "label":
      if (namesClasses(predictor.predictionOutput)) return { name: "label", compare: compareLabel };
      return { problem: "--compare label: the candidate predicts one score, which names no class" };
    case "tolerance":
      return toleranceOf(choice.tolerance);
    case "top-k":
      return topK(choice.k, predictor);
    case "custom":
      return choice;
  }
}

function toleranceOf(tolerance: number): ChosenComparator {
  const compare = compareTolerance({ absolute: tolerance, relative: tolerance });
  return { name: `tolerance ${tolerance}`, compare };
}

function topK(k: number, predictor: Predictor): ChosenComparator | { readonly problem: string } {
  const classes = classCountOf(predictor.predictionOutput);
  if (classes !== undefined && k >= classes) {
    const found = classes === 1 ? "one value" : `${classes} classes`;
    return {
      problem: `--k ${k}: expected less than there are classes, the candidate has ${found}`,
    };
  }
  return { name: `top-${k}`, compare: compareTopK(k) };
}
