import { z } from "zod";
import { log, traces } from "./schema-log.ts";
import { model } from "./schema-model.ts";
import { server } from "./schema-server.ts";
import { service } from "./schema-service.ts";
import { name, path, source } from "./schema-values.ts";

/** The one definition of the configuration file. Later versions add keys and never rename one. */
export const configSchema = z.strictObject({
  name: name.optional().meta({ description: "Name of the whole; absent: the folder's name." }),
  owner: z
    .string()
    .min(1)
    .optional()
    .meta({ description: "Who answers for it.", examples: ["ml-platform@example.com"] }),
  runbook: z
    .string()
    .min(1)
    .optional()
    .meta({
      description: "Where to look when it fails: a file or an address.",
      examples: ["docs/runbook.md"],
    }),
  server: server.prefault({}).meta({ description: "How the processes listen and log." }),
  state: z
    .strictObject({
      dir: path
        .default("./.millrace")
        .meta({ description: "Folder for everything Millrace writes." }),
      cache: z
        .union([
          z.literal("memory"),
          z
            .string()
            .regex(/^rediss?:\/\/./)
            .meta({ range: "an address redis://… or rediss://…" }),
        ])
        .default("memory")
        .meta({
          description:
            "Where caches keep what they have: in the memory of each process, or in Redis or Valkey.",
          examples: ["memory", "redis://127.0.0.1:6379"],
        }),
    })
    .prefault({})
    .meta({ description: "What is kept on disk." }),
  log: log.prefault({}).meta({ description: "The prediction log: every prediction is a row." }),
  traces: traces.optional().meta({
    description: "Sends traces of requests to an OpenTelemetry collector; absent: it does not.",
  }),
  models: z
    .record(
      name,
      z
        .union([source.transform((text) => model.parse({ source: text })), model])
        .meta({ shortFor: "source" }),
    )
    .prefault({})
    .meta({ description: "The models, by name." }),
  services: z
    .record(name, service)
    .prefault({})
    .meta({ description: "What callers ask, by name; a model without one gets one of its name." }),
});

/** The file as a person writes it. */
export type ConfigInput = z.input<typeof configSchema>;

/** The file checked, with defaults filled in and units turned into milliseconds and bytes. */
export type ConfigOutput = z.output<typeof configSchema>;
