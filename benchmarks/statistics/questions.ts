import { DELAYED_LABELS } from "./delayed-labels-report.ts";
import { PEEKING_QUESTION } from "./peeking-report.ts";
import { POWER_QUESTION } from "./power-report.ts";
import type { Question } from "./question.ts";
import { RARE_ERRORS } from "./rare-errors-report.ts";
import { SIMPSON_QUESTION } from "./simpson-report.ts";

export const QUESTIONS: readonly Question[] = [
  PEEKING_QUESTION,
  DELAYED_LABELS,
  POWER_QUESTION,
  SIMPSON_QUESTION,
  RARE_ERRORS,
];
