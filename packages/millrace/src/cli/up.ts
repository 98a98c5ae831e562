import { createSupervisor, processCountOf } from "../main.ts";
import type { Command } from "./command.ts";
import { CONFIG_OPTION } from "./config-session.ts";
import { runInForeground } from "./foreground.ts";
import { warnOfIdleOverrides } from "./idle-overrides.ts";

export const up: Command = {
  summary: "run everything in the file, supervised: crashed processes start again",
  usage: "up [file] [--json] [--key value]",
  options: { ...CONFIG_OPTION, json: "prints the addresses and models as one line of JSON" },
  examples: ["up", "up examples/web-single", "up millrace.yaml --server.processes 4"],
  run: (line, io) =>
    runInForeground(line, io, async (config, logging, file) => {
      if (config.server.controlPort === "off") {
        await warnOfIdleOverrides(config, logging, "server.controlPort is off");
      }
      const supervisor = createSupervisor(file, config, logging);
      const started = await supervisor.start();
      return {
        ...started,
        processes: processCountOf(config),
        metrics: () => supervisor.metrics(),
        apply: (next) => supervisor.apply(next),
        stop: (lameDuckMs) => supervisor.stop(lameDuckMs),
        kill: () => supervisor.kill(),
      };
    }),
};
