import { createSupervisor, processCountOf } from "../main.ts";
import type { Command } from "./command.ts";
import { CONFIG_OPTION } from "./config-session.ts";
import { runInForeground } from "./foreground.ts";

export const up: Command = {
  summary: "run everything in the file, supervised: crashed processes start again",
  usage: "up [file] [--json] [--key value]",
  options: { ...CONFIG_OPTION, json: "prints the addresses and models as one line of JSON" },
  examples: ["up", "up examples/web-single", "up millrace.yaml --server.processes 4"],
  run: (line, io) =>
    runInForeground(line, io, async (config, logging) => {
      const supervisor = createSupervisor(config, logging);
      const { httpPort, grpcPort, models } = await supervisor.start();
      return {
        httpPort,
        grpcPort,
        processes: processCountOf(config),
        models,
        metrics: () => supervisor.metrics(),
        apply: (next) => supervisor.apply(next),
        stop: (lameDuckMs) => supervisor.stop(lameDuckMs),
        kill: () => supervisor.kill(),
      };
    }),
};
