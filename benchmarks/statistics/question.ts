/** One question with its answer, written to `statistics-<name>.{json,md,svg}`. */
export interface Question {
  readonly name: string;
  readonly title: string;
  readonly answer: () => Answer;
}

export interface Answer {
  readonly setting: object;
  readonly outcome: unknown;
  /** Markdown below the picture. */
  readonly report: readonly string[];
  readonly picture: string;
}

/** One digit after the point, as the runs allow. */
export function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}
