import { pino, type DestinationStream, type Logger as PinoLogger } from "pino";
import type { LoggerFor } from "../../ports/logger.ts";

export interface LoggerPinoOptions {
  /** Level per logger name, with `default` for the rest. */
  readonly levels: Readonly<Record<string, string>>;
  /** Facts every line carries. */
  readonly base: Readonly<Record<string, string | number>>;
  readonly destination: DestinationStream;
}

/** Structured logs: one JSON object a line, with `time` as ISO 8601 and `level` as a word. */
export function createLoggerFor({ levels, base, destination }: LoggerPinoOptions): LoggerFor {
  const root = pino(
    {
      base,
      level: "trace",
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      messageKey: "message",
    },
    destination,
  );
  const loggers = new Map<string, PinoLogger>();
  return (name) => {
    let logger = loggers.get(name);
    if (logger === undefined) {
      const level = levels[name] ?? levels["default"] ?? "info";
      logger = root.child({ logger: name }, { level });
      loggers.set(name, logger);
    }
    return logger;
  };
}

/**
 * The process's error stream. A write is in the pipe when it returns, so that a process that ends in the next
 * moment loses no line; a reader that has gone is no reason to end.
 */
export function stderrDestination(): DestinationStream {
  process.stderr.on("error", () => undefined);
  return process.stderr;
}
