/** Where the starts of one thread come from. */
export interface StartSource {
  /** When the next start is due, in ms since the begin of the measured time; Infinity where none is known. */
  readonly dueMs: number;
  /** Nothing is due any more, whatever comes. */
  readonly isOver: boolean;
  /** Takes the start that is due next. @returns its number over all threads. */
  take(): number;
  /** One of the starts has been answered, given up, or dropped. */
  ended(nowMs: number): void;
}
