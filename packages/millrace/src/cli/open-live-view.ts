import { viewClock } from "../load-main.ts";
import type { CommandIo } from "./command.ts";
import { LoadLiveView } from "./load-live-view.ts";
import { terminalStyle } from "./terminal-style.ts";

/** The view on a running test, where errors go: the other stream is the report's. */
export function openLiveView(io: CommandIo): LoadLiveView {
  return new LoadLiveView(io.stderr, terminalStyle({ ...io, stdout: io.stderr }), viewClock);
}
