import { z } from "zod";
import { duration, size } from "./schema-values.ts";

/** Most requests of a warm-up list. */
const WARM_UP_MAX = 10_000;

const TTL_MAX = "30d";

const bounds = {
  entriesMax: z.int().min(1).max(100_000_000).default(10_000).meta({
    unit: "entries",
    description: "Most entries in the memory of each process; Redis has bounds of its own.",
  }),
  bytesMax: size("1KiB", "1024GiB")
    .prefault("256MiB")
    .meta({ description: "Most bytes in the memory of each process." }),
};

/** `services.<name>.cache` of the file. */
export const cache = z.strictObject({
  prediction: z
    .strictObject({
      ttl: duration("1ms", TTL_MAX)
        .prefault("1h")
        .meta({ live: true, description: "How long a prediction is answered again." }),
      ...bounds,
      lookup: z.enum(["before", "parallel"]).default("before").meta({
        live: true,
        description:
          "`before` looks first and predicts what is not there; `parallel` does both at once and takes what is there first.",
      }),
      warmUp: z
        .union([
          z.string().regex(/^@./).meta({ range: "@<JSON file>" }),
          z
            .array(z.unknown())
            .max(WARM_UP_MAX)
            .meta({ range: `a list of at most ${WARM_UP_MAX} requests` }),
        ])
        .default([])
        .meta({
          description:
            "Requests that are predicted when the service starts, each as `data` of /predict: a list, or `@file.json` with one.",
          examples: [[[[5.1, 3.5, 1.4, 0.2]]], "@frequent.json"],
        }),
    })
    .optional()
    .meta({ description: "Answers the same inputs with what was predicted before." }),
  data: z
    .strictObject({
      ttl: duration("1ms", TTL_MAX)
        .prefault("1h")
        .meta({ live: true, description: "How long what a step gave is used again." }),
      ...bounds,
      key: z
        .string()
        .min(1)
        .default("id")
        .meta({ description: "Input of the graph whose value, row by row, is the key." }),
    })
    .optional()
    .meta({
      description:
        "Keeps what the load, image and function steps gave that the graph begins with; services with the same steps share it.",
    }),
});
