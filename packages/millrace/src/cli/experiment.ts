import { actionCommand, listCommand, statusCommand } from "./release-command.ts";
import { EXPERIMENTS } from "./release-kind.ts";

export const experimentList = listCommand(EXPERIMENTS);

export const experimentStatus = statusCommand(EXPERIMENTS, "rf-2026-11");

export const experimentStart = actionCommand(EXPERIMENTS, {
  name: "start",
  summary: "start the ramp of an experiment that waits for it",
  example: "rf-2026-11",
});

export const experimentPause = actionCommand(EXPERIMENTS, {
  name: "pause",
  summary: "stop the ramp of an experiment where it is",
  example: "rf-2026-11 --reason 'campaign starts'",
});

export const experimentResume = actionCommand(EXPERIMENTS, {
  name: "resume",
  summary: "let the ramp of an experiment go on",
  example: "rf-2026-11",
});

export const experimentApprove = actionCommand(EXPERIMENTS, {
  name: "approve",
  summary: "let the ramp of an experiment take its next step",
  example: "rf-2026-11 --reason 'numbers are fine'",
});

export const experimentAbort = actionCommand(EXPERIMENTS, {
  name: "abort",
  summary: "give all traffic of an experiment back to its control arm",
  example: "rf-2026-11 --reason 'complaints'",
});

export const experimentRetry = actionCommand(EXPERIMENTS, {
  name: "retry",
  summary: "begin an experiment again that was rolled back or is completed",
  example: "rf-2026-11 --reason 'model is repaired'",
});
