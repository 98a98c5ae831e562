import { watch, type FSWatcher } from "node:fs";
import { stat } from "node:fs/promises";
import { basename, dirname } from "node:path";
import type { ReloadPolicy } from "../config/config.ts";
import type { Clock } from "../core/clock.ts";

/** A burst of file events counts as one change: the last one plus this much quiet. */
const QUIET_MS = 50;

/** How often a watched path is looked at without an event: network folders send none. */
const SWEEP_MS = 5_000;

/**
 * Calls `onChange` when something at `path` may have changed. It may call without need; the receiver compares.
 * @returns a function that stops it.
 */
export function watchSource(
  path: string,
  policy: ReloadPolicy,
  clock: Clock,
  onChange: () => void,
): () => void {
  if (policy.kind === "off") return () => undefined;
  let isStopped = false;
  let cancelQuiet: (() => void) | undefined;
  let cancelSweep: (() => void) | undefined;
  let watcher: FSWatcher | undefined;

  const sweep = (everyMs: number): void => {
    cancelSweep = clock.schedule(everyMs, () => {
      onChange();
      if (isStopped) return;
      if (policy.kind === "watch" && watcher === undefined) void open();
      sweep(everyMs);
    });
  };
  const changed = (): void => {
    cancelQuiet?.();
    cancelQuiet = clock.schedule(QUIET_MS, onChange);
  };
  const open = async (): Promise<void> => {
    const info = await stat(path).catch(() => undefined);
    const isFolder = info?.isDirectory() === true;
    if (isStopped) return;
    try {
      // A file is watched through its folder: replacing it by rename gives the folder an event, not the file.
      watcher = watch(isFolder ? path : dirname(path), { recursive: isFolder }, (_event, name) => {
        if (isFolder || name === null || name === basename(path)) changed();
      });
      watcher.on("error", () => closeWatcher());
      watcher.unref();
    } catch {
      watcher = undefined; // the folder is not there yet: the sweep tries again
    }
  };
  const closeWatcher = (): void => {
    watcher?.close();
    watcher = undefined;
  };

  if (policy.kind === "watch") void open();
  sweep(policy.kind === "poll" ? policy.everyMs : SWEEP_MS);
  return () => {
    isStopped = true;
    cancelQuiet?.();
    cancelSweep?.();
    closeWatcher();
  };
}
