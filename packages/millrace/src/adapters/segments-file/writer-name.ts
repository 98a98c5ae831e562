import { randomBytes } from "node:crypto";

/**
 * Names a writer unlike every other one, also after a restart within the same millisecond or with a clock that was set
 * back: what is made of its segments is known by that name for as long as the log is kept. Names of one process index
 * sort by their time: `p0-01992f3c7a5e4b1f`.
 */
export function newWriterName(processIndex: number, wallMs: number): string {
  const time = wallMs.toString(16).padStart(12, "0");
  return `p${processIndex}-${time}${randomBytes(2).toString("hex")}`;
}
