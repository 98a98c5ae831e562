import { z } from "zod";
import { DAY, duration, path, share, source } from "./schema-values.ts";

const input = z.strictObject({
  names: z
    .array(z.string().min(1))
    .min(1)
    .optional()
    .meta({ description: "Names of the columns of one row.", examples: [["width", "height"]] }),
  unit: z
    .string()
    .min(1)
    .optional()
    .meta({ description: "Unit of the values, for readers.", examples: ["cm"] }),
  range: z
    .tuple([z.number(), z.number()])
    .refine(([low, high]) => low <= high, "the first bound is above the second one")
    .optional()
    .meta({
      description: "Inclusive bounds of plausible values; shown in metadata, not enforced.",
    }),
});

const reload = z.union([
  z.enum(["off", "watch"]),
  z.strictObject({ poll: duration("100ms", DAY) }).transform((policy) => policy.poll),
  z
    .string()
    .regex(/^poll: *\S+$/)
    .meta({ range: "poll: <duration>" })
    .transform((text) => text.replace(/^poll: */, ""))
    .pipe(duration("100ms", DAY)),
]);

const batch = z.strictObject({
  rowsMax: z.int().min(1).max(4096).default(64).meta({
    unit: "rows",
    description: "Most rows of one run; 1 runs every request alone, as it came.",
  }),
  delay: duration("0ms", "10s").prefault("0ms").meta({
    description:
      "Longest time a request waits for company while the model is free. With 0ms it never waits: what has gathered while the model was busy runs together.",
  }),
  oversize: z.enum(["split", "reject"]).default("split").meta({
    description:
      "A request of more than `rowsMax` rows: `split` runs it in parts, `reject` refuses it.",
  }),
});

const slo = z.strictObject({
  latencyP99: duration("1ms", DAY)
    .optional()
    .meta({ description: "Objective for 99 % of the answers, from arrival to reply." }),
  availability: share()
    .optional()
    .meta({ description: "Share of requests to answer.", examples: ["99.9%", 0.999] }),
});

/** `models.<name>` of the file, in its long form. */
export const model = z.strictObject({
  source: source.optional().meta({
    description:
      "The model: a file, a folder of numbered versions, or an https:// address (needs `sha256`); only `runtime: process` may be without.",
    examples: ["./models/iris.onnx", "./models/resnet"],
  }),
  sha256: z
    .string()
    .regex(/^[0-9a-fA-F]{64}$/)
    .transform((digest) => digest.toLowerCase())
    .optional()
    .meta({ kind: "sha256", description: "Digest the file must have." }),
  fallback: path.optional().meta({
    description:
      "Model file used when the source cannot be loaded; readiness, metadata, metrics and log say so.",
  }),
  runtime: z.enum(["onnx", "process"]).default("onnx").meta({
    description:
      "What runs the model: `onnx` onnxruntime, `process` a program that speaks the Open Inference Protocol on a socket.",
  }),
  command: z
    .array(z.string().min(1).max(4096))
    .min(1)
    .max(256)
    .optional()
    .meta({
      range: "a list of 1 to 256 words",
      description:
        "Of `runtime: process`: the program, then its arguments, a word each; no shell reads them. `{source}`, `{model}`, `{threads}`, `{socket}` and `{port}` are filled in.",
      examples: [["python3", "serve.py", "{source}"]],
    }),
  cwd: path.optional().meta({
    description: "Of `runtime: process`: its working folder; absent: the folder of this file.",
    examples: ["./scorer"],
  }),
  env: z
    .record(
      z
        .string()
        .regex(/^[A-Za-z_][A-Za-z0-9_]{0,127}$/)
        .meta({ range: "a name of letters, digits and _" }),
      z.string().meta({ secret: true, description: "Value; may hold what `command` may." }),
    )
    .default({})
    .meta({
      description:
        "Of `runtime: process`: variables of its environment, which has only PATH, HOME, LANG, TMPDIR and what Millrace tells it beside.",
      examples: [{ HF_HOME: "./cache" }],
    }),
  startTimeout: duration("100ms", "1h").prefault("30s").meta({
    description: "Of `runtime: process`: longest time from its start until it is ready.",
  }),
  labels: z
    .union([z.array(z.string()).min(1), path])
    .optional()
    .meta({
      description:
        "Names of the classes: a list, or a file (.txt: one a line; .json: an array or {index: label}).",
      examples: [["setosa", "versicolor"], "labels.txt"],
    }),
  output: z.string().min(1).optional().meta({
    description:
      "Output that is the prediction; absent: the probabilities of a classifier, else the first.",
  }),
  score: z
    .union([z.int().min(0).max(1_000_000), z.string().min(1)])
    .default(0)
    .meta({
      description:
        "Element of a row of the prediction, or its label, that thresholds and `combine: argmax` look at.",
      examples: [0, "spam"],
    }),
  inputs: z
    .record(z.string().min(1), input)
    .default({})
    .meta({ description: "What the model's inputs mean, by input name." }),
  sample: z
    .union([
      z.string().regex(/^@./).meta({ range: "@<JSON file>" }),
      z.array(z.unknown()),
      z.record(z.string(), z.unknown()),
    ])
    .optional()
    .meta({
      description:
        "Example rows, or `@file.json`: warms the model up, answers /predict/test, is the example in the API docs.",
      examples: [[[5.1, 3.5, 1.4, 0.2]], "@sample.json"],
    }),
  threads: z
    .int()
    .min(1)
    .max(256)
    .default(1)
    .meta({ unit: "threads", description: "Threads one run of the model may use." }),
  instances: z
    .union([z.literal("auto"), z.int().min(1).max(64)])
    .default("auto")
    .meta({
      unit: "instances",
      description:
        "Copies of the model that run side by side in one process; `auto` is as many as the cores carry.",
    }),
  placement: z.enum(["auto", "inline", "worker"]).default("auto").meta({
    description:
      "Where the model computes: `inline` on the thread that serves, `worker` on threads of its own; `auto` measures when it is loaded and takes `inline` for runs below 1 ms.",
  }),
  batch: z
    .union([z.literal("off"), batch])
    .prefault({})
    .meta({
      description: "Runs rows of several requests together; `off` runs every request as it came.",
      examples: ["off", { rowsMax: 32, delay: "2ms" }],
    }),
  slo: slo.optional().meta({ description: "What callers may expect of the model." }),
  serve: z
    .union([z.enum(["latest", "all"]), z.array(z.int().min(0).max(Number.MAX_SAFE_INTEGER)).min(1)])
    .default("latest")
    .meta({ description: "Which numbered versions are served.", examples: ["all", [1, 2]] }),
  reload: reload.prefault("watch").meta({
    description:
      "When a changed model file is noticed: `watch` at once, `{ poll: 30s }` by looking every 100ms to 1d, `off` never. The new version is loaded and warmed beside the old one, then switched.",
  }),
  required: z
    .boolean()
    .default(true)
    .meta({ description: "Is the process not ready while this model is not?" }),
});
