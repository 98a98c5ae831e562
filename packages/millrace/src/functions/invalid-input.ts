export interface InvalidInputOptions {
  /** Input that is wrong. */
  readonly input?: string;
  /** Row of it, from 0. */
  readonly row?: number;
}

/**
 * Thrown by a function when its caller is to be told what is wrong with the values: the request is answered with
 * status 400 and this message. The message of any other error is for the log.
 */
export class InvalidInput extends Error {
  readonly input: string | undefined;
  readonly row: number | undefined;

  constructor(message: string, options: InvalidInputOptions = {}) {
    super(message);
    this.name = "InvalidInput";
    this.input = options.input;
    this.row = options.row;
  }
}
