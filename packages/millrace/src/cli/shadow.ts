import { actionCommand, listCommand, statusCommand } from "./release-command.ts";
import { SHADOWS } from "./release-kind.ts";

export const shadowList = listCommand(SHADOWS);

export const shadowStatus = statusCommand(SHADOWS, "rf");

export const shadowExclude = actionCommand(SHADOWS, {
  name: "exclude",
  summary: "send a shadow no more copies",
  example: "rf --reason 'too slow'",
});

export const shadowInclude = actionCommand(SHADOWS, {
  name: "include",
  summary: "send a shadow copies again",
  example: "rf --reason 'is repaired'",
});
