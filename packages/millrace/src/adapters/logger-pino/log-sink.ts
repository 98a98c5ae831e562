import { once } from "node:events";
import { basename, dirname } from "node:path";
import { Writable } from "node:stream";

export interface LogSinkOptions {
  readonly format: "json" | "pretty";
  readonly file:
    { readonly path: string; readonly sizeBytesMax: number; readonly keep: number } | undefined;
}

/**
 * Where log lines end: a file that is rotated by size, or the process's error stream; as JSON or for people.
 * Only one process of a machine may own the file.
 */
export async function openLogSink({ format, file }: LogSinkOptions): Promise<Writable> {
  const target = file === undefined ? process.stderr : await openFile(file);
  if (format === "json") return target;
  const { prettyFactory } = await import("pino-pretty");
  const prettify = prettyFactory({
    colorize: file === undefined && process.stderr.isTTY,
    messageKey: "message",
    ignore: "pid,logger,process",
    translateTime: "SYS:HH:MM:ss.l",
    singleLine: true,
  });
  return new Writable({
    decodeStrings: false,
    write(line: string, _encoding, done) {
      target.write(prettify(line), () => done());
    },
    final: (done) => void closeLogSink(target).then(() => done()),
  });
}

/** Ends a file when all of it is written; the process's own error stream stays open. */
export async function closeLogSink(sink: Writable): Promise<void> {
  if (sink === process.stderr || sink.writableFinished) return;
  sink.end();
  await once(sink, "finish");
}

async function openFile(file: NonNullable<LogSinkOptions["file"]>): Promise<Writable> {
  const { createStream } = await import("rotating-file-stream");
  const name = basename(file.path);
  // With `rotate`, the generator is asked for a number: none for the live file, 1 for the newest old one.
  return createStream((index) => (typeof index === "number" ? `${name}.${index}` : name), {
    path: dirname(file.path),
    size: `${Math.max(1, Math.floor(file.sizeBytesMax / 1024))}K`,
    rotate: file.keep,
  });
}
