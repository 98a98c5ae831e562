/** Structured log of one part of the process: fields first, then one sentence. Never throws, never waits. */
export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** A logger per part, so that each can have a level of its own. */
export type LoggerFor = (name: string) => Logger;
