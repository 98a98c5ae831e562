import { z } from "zod";
import { requestValue } from "./schema-request-value.ts";
import {
  duration,
  headerName,
  isNotEmpty,
  name,
  rotatedFile,
  share,
  size,
} from "./schema-values.ts";

/** Most fields, attributes and rules of privacy. */
const ENTRIES_MAX = 256;

/** Name of an input, or of a column of one. */
const field = z.string().min(1).max(256);

const redaction = z
  .union([
    z.enum(["drop", "mask", "hmac"]),
    z.strictObject({
      bucket: z.union([z.number().positive(), z.array(z.number()).min(1).max(1000)]).meta({
        description:
          "Width of the buckets, or where they begin; the value becomes the lower end of its bucket.",
        examples: [10, [18, 30, 50]],
      }),
    }),
  ])
  .meta({
    description:
      "`drop` leaves the field out, `mask` writes `***`, `hmac` a keyed hash that tells equal from different, `{ bucket: … }` the bucket of a number.",
  });

function mapOf<Key extends z.core.$ZodRecordKey, Value extends z.ZodType>(key: Key, value: Value) {
  return z
    .record(key, value)
    .refine(
      (map) => Object.keys(map).length <= ENTRIES_MAX,
      `found too many names, expected at most ${ENTRIES_MAX}`,
    );
}

/** `services.<name>.log` of the file. */
export const serviceLog = z.strictObject({
  payload: z.enum(["full", "metadata", "off"]).default("full").meta({
    live: true,
    description:
      "What is logged of each prediction: inputs and prediction too, all but these, or nothing.",
  }),
  sample: share()
    .prefault("100%")
    .meta({
      live: true,
      description:
        "Share of the predictions that is logged; errors, slow ones and outliers always are. `sampled_weight` of a row says how many it stands for.",
      examples: ["10%", 0.01],
    }),
  fields: z
    .array(field)
    .max(ENTRIES_MAX)
    .optional()
    .meta({
      description:
        "Inputs and columns of inputs that may be logged; absent: all of them. A list leaves out what is not in it.",
      examples: [["sepal_length", "sepal_width"]],
    }),
  unit: requestValue.optional().meta({
    description:
      "Whom a prediction is for; a keyed hash of it is logged, by which feedback finds it and `millrace log forget` removes it.",
  }),
  attributes: mapOf(name, requestValue)
    .default({})
    .meta({
      description: "Values of the request that are logged with it, by the name they get.",
      examples: [{ region: "header.x-region" }],
    }),
  outlier: z
    .strictObject({
      output: z
        .string()
        .min(1)
        .meta({ description: "Output of the service whose first element is the outlier score." }),
      below: z
        .number()
        .default(0)
        .meta({ live: true, description: "A score below it is an outlier's." }),
    })
    .optional()
    .meta({ description: "How outliers are told; absent: they are not." }),
});

/** `log` of the file. */
export const log = z.strictObject({
  sink: z
    .enum(["parquet", "off"])
    .default("parquet")
    .meta({
      later: ["s3", "postgres", "clickhouse"],
      description:
        "Where predictions go: Parquet files in `<state.dir>/log`, which `millrace query` reads; `off` logs none.",
    }),
  text: rotatedFile("File the lines are written to.").optional().meta({
    description:
      "Writes predictions as lines of text too, for those who tail logs; absent: it does not.",
  }),
  durability: z
    .union([z.enum(["off", "batch"]), duration("10ms", "1m")])
    .prefault("200ms")
    .meta({
      description:
        "When what is written is forced to the disk: after so long, after every batch of rows, or when the system likes. It is about power failures: what is written survives the end of a process anyway.",
      examples: ["batch", "200ms"],
    }),
  whenFull: z.enum(["drop", "wait", "refuse"]).default("drop").meta({
    live: true,
    description:
      "When rows come faster than they can be written: `drop` leaves out what is least needed and counts it, `wait` lets predictions wait up to 5 ms before that, `refuse` answers 503 rather than predict without a row.",
  }),
  roll: duration("1s", "1h").prefault("5m").meta({
    description:
      "Rows become a Parquet file after this time, or when there are 128 MiB or a million of them.",
  }),
  walMax: size("1MiB", "65536GiB").prefault("5GiB").meta({
    description:
      "Disk space of rows that no sink has yet; beyond it first inputs, then most rows, then all are left out.",
  }),
  diskFree: share()
    .prefault("10%")
    .meta({ description: "Share of the disk that stays free, by the same means." }),
  retention: z
    .strictObject({
      rows: duration("1m", "36500d")
        .prefault("30d")
        .meta({ description: "Age at which rows are deleted." }),
      payload: duration("1m", "36500d")
        .prefault("7d")
        .meta({ description: "Age at which inputs and predictions are taken out of the rows." }),
      hold: z
        .boolean()
        .default(false)
        .meta({ description: "Deletes nothing, as long as the law asks for it." }),
    })
    .prefault({})
    .meta({ description: "How long the log is kept." }),
  redact: mapOf(field, redaction)
    .default({})
    .meta({
      description:
        "What becomes of fields before they are logged: inputs, columns of inputs and attributes, by name.",
      examples: [{ email: "drop", user_id: "hmac", age: { bucket: 10 } }],
    }),
  key: z
    .string()
    .min(16)
    .optional()
    .meta({
      kind: "secret",
      secret: true,
      description:
        "Key of the keyed hashes, at least 16 characters; absent: one is made and kept in the log's folder.",
      examples: ["${LOG_KEY}"],
    }),
  feedback: z
    .strictObject({
      window: duration("1m", "36500d")
        .prefault("14d")
        .meta({ description: "Time after a prediction in which what is reported of it counts." }),
    })
    .prefault({})
    .meta({ description: "What is reported of predictions later." }),
  query: z
    .strictObject({
      timeout: duration("100ms", "1h")
        .prefault("30s")
        .meta({ live: true, description: "Longest time of a query." }),
      memoryMax: size("64MiB", "1024GiB")
        .prefault("1GiB")
        .meta({ description: "Memory of the process that answers queries." }),
    })
    .prefault({})
    .meta({ description: "Limits of `millrace query`." }),
});

/** `traces` of the file. */
export const traces = z.strictObject({
  endpoint: z
    .string()
    .regex(/^https?:\/\/./)
    .refine((text) => URL.canParse(text), "expected an http:// or https:// address")
    .meta({
      kind: "address",
      description: "Address of an OpenTelemetry collector that speaks OTLP over HTTP.",
      examples: ["http://127.0.0.1:4318"],
    }),
  sample: share().prefault("100%").meta({
    description:
      "Share of the requests without a trace context of their own that are traced; those with one follow it.",
  }),
  headers: z
    .record(headerName, z.string().meta({ kind: "headerText", secret: true }))
    .refine(isNotEmpty, "found no header, expected at least one")
    .optional()
    .meta({ description: "Headers sent along, such as a key of the collector." }),
});
