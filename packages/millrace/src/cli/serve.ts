import { createServeRole } from "../main.ts";
import type { Command } from "./command.ts";
import { CONFIG_OPTION } from "./config-session.ts";
import { runInForeground } from "./foreground.ts";

export const serve: Command = {
  summary: "serve models in this process, from a file or straight from .onnx files",
  usage: "serve [file | model.onnx …] [--json] [--key value]",
  options: { ...CONFIG_OPTION, json: "prints the addresses and models as one line of JSON" },
  examples: ["serve iris.onnx", "serve iris.onnx --port 9000", "serve millrace.yaml"],
  run: (line, io) =>
    runInForeground(line, io, async (config, { loggerFor }) => {
      const role = createServeRole(config, loggerFor);
      const ports = await role.listen({ isShared: false, repository: undefined });
      await role.loadModels();
      return {
        ...ports,
        processes: 1,
        models: role.status(),
        metrics: () => Promise.resolve(role.metrics()),
        async apply(next) {
          await role.apply(next);
          return role.status();
        },
        stop: (lameDuckMs) => role.stop(lameDuckMs),
        kill: () => undefined, // everything is in this process
      };
    }),
};
