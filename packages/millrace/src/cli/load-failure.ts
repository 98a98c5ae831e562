import { LoadInputError } from "../load-test/load-input-error.ts";
import type { ExitCode } from "./command.ts";

/** A load test could not begin, or not end, though it was asked for rightly. */
export class LoadFailure extends Error {
  readonly exitCode: ExitCode;

  /** @param message empty where it has been printed. */
  constructor(message: string, exitCode: ExitCode = 1) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** What cannot be used after all, though everything that was typed could be read. */
export function asFailure(error: unknown): never {
  throw error instanceof LoadInputError ? new LoadFailure(error.message) : error;
}
