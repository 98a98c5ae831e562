import { performance } from "node:perf_hooks";
import { PrintedLines, type PrintLevel } from "./printed-lines.ts";

/**
 * Gives `send` what this thread prints: `console.log` as info, `console.error` as warn. It does not go the way of Node's
 * streams, which would keep the process alive as long as somebody reads them, and have no bound on this side.
 */
export function captureOutput(send: (level: PrintLevel, line: string) => void): void {
  const lines = new PrintedLines(send, () => performance.now());
  process.stdout.write = writeTo(lines, "info");
  process.stderr.write = writeTo(lines, "warn");
}

function writeTo(lines: PrintedLines, level: PrintLevel): typeof process.stdout.write {
  return (chunk: string | Uint8Array, ...rest: unknown[]): boolean => {
    lines.add(level, typeof chunk === "string" ? chunk : Buffer.from(chunk).toString("utf8"));
    const done = rest.find((parameter) => typeof parameter === "function");
    if (done !== undefined) process.nextTick(done as () => void);
    return true;
  };
}
