import { z } from "zod";
import { DURATION_PATTERN, DURATION_UNITS, parseDuration } from "./duration.ts";
import { parseSize, SIZE_PATTERN, SIZE_UNITS } from "./size.ts";

declare module "zod" {
  /**
   * What a key says about itself beyond zod's type, default and range. `z.toJSONSchema` keeps it, and problems,
   * `config print`, the JSON Schema and the reference page read it from there.
   */
  interface GlobalMeta {
    /** What a text stands for; names its row in `KINDS` in schema-node.ts. */
    readonly kind?: Kind;
    readonly unit?: string;
    /** Allowed values in words, where a minimum and a maximum cannot say it. */
    readonly range?: string;
    /** Can it change while running? No, unless it says so. */
    readonly live?: boolean;
    /** Its value is never printed. */
    readonly secret?: boolean;
    /** A bare value there is short for an object with only this key. */
    readonly shortFor?: string;
  }
}

export type Kind = "duration" | "size" | "name" | "path" | "source" | "sha256" | "secret";

const NAME_PATTERN = /^(?!stats$)[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;

/** Longest time that may be configured; a timer of Node.js overflows after 24 days. */
const DAY = "1d";

const name = z.string().regex(NAME_PATTERN).meta({ kind: "name" });
const path = z.string().min(1).meta({ kind: "path" });
const source = z.string().min(1).meta({ kind: "source" });
const port = z.int().min(0).max(65_535);
const portOrOff = z.union([z.literal("off"), port]);
const level = z.enum(["trace", "debug", "info", "warn", "error", "fatal", "silent"]);

const apiKey = z.strictObject({
  name: name.meta({ description: "Who uses the key: shown in logs." }),
  secret: z
    .string()
    .regex(/^[\x21-\x7e]+$/)
    .meta({
      kind: "secret",
      secret: true,
      description: "What the caller sends as `Authorization: Bearer <secret>`.",
      examples: ["${SHOP_KEY}"],
    }),
  scopes: z
    .array(z.enum(["infer", "read", "admin"]))
    .min(1)
    .default(["infer"])
    .meta({
      description:
        "What the key may do: `infer` predicts, `read` sees metadata and state, `admin` changes.",
    }),
});

const log = z.strictObject({
  level: z
    .union([level, z.record(z.string().min(1), level)])
    .default("info")
    .meta({
      shortFor: "default",
      description: "Least severe line that is written; an object gives a level per logger name.",
      examples: ["debug", { default: "info", models: "debug" }],
    }),
  format: z
    .enum(["json", "pretty"])
    .default("json")
    .meta({ description: "`json` for machines, one object a line; `pretty` for people." }),
  access: z
    .enum(["off", "errors", "all"])
    .default("errors")
    .meta({ description: "Which requests are logged: none, those that failed, or all." }),
  file: z
    .strictObject({
      path: path.meta({ description: "File the log is written to, instead of standard error." }),
      sizeMax: size("1KiB", "64GiB")
        .prefault("64MiB")
        .meta({ description: "Size at which the file is rotated." }),
      keep: z
        .int()
        .min(0)
        .max(1000)
        .default(5)
        .meta({ unit: "files", description: "Rotated files kept beside the current one." }),
    })
    .optional()
    .meta({ description: "Log file with rotation by size; absent: standard error." }),
});

const server = z.strictObject({
  host: z
    .string()
    .min(1)
    .default("127.0.0.1")
    .meta({
      description:
        "Address to listen on; `0.0.0.0` opens it to other machines and must be asked for.",
      examples: ["0.0.0.0"],
    }),
  httpPort: port
    .default(8000)
    .meta({ description: "Port of the HTTP interface; 0 takes a free port and prints it." }),
  grpcPort: portOrOff.default("off").meta({ description: laterPort("the gRPC interface") }),
  metricsPort: portOrOff
    .default(8002)
    .meta({ description: "Port of `/metrics`; `off` switches it off, 0 takes a free port." }),
  controlPort: portOrOff
    .default("off")
    .meta({ description: laterPort("the dashboard and the admin interface") }),
  processes: z
    .union([z.literal("auto"), z.int().min(1).max(256)])
    .default("auto")
    .meta({
      unit: "processes",
      description:
        "Serve processes under `millrace up`; `auto` is one per core, at most what the models' threads allow.",
    }),
  bodyMax: size("1KiB", "2GiB")
    .prefault("64MiB")
    .meta({ description: "Largest request body; a larger one is refused with 413." }),
  drain: duration("0ms", DAY)
    .prefault("30s")
    .meta({ description: "Longest time a stopping process waits for requests in flight." }),
  auth: z
    .strictObject({
      keys: z
        .array(apiKey)
        .default([])
        .meta({ description: "Keys callers may use; none: no key is asked for." }),
    })
    .prefault({})
    .meta({ description: "Who may call." }),
  tls: z
    .strictObject({
      cert: path.meta({ description: "Certificate chain, PEM." }),
      key: path.meta({ description: "Private key of the certificate, PEM." }),
    })
    .optional()
    .meta({ description: "Serves HTTPS instead of HTTP." }),
  cors: z
    .strictObject({
      origins: z
        .array(z.string().min(1))
        .default([])
        .meta({
          description: "Web origins whose pages may call; `*` is any.",
          examples: [["https://shop.example.com"]],
        }),
    })
    .prefault({})
    .meta({ description: "Which web pages may call from a browser." }),
  log: log.prefault({}).meta({ description: "The server's own log." }),
});

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

const model = z.strictObject({
  source: source.meta({
    description:
      "The model: a file, a folder of numbered versions, or an https:// address (needs `sha256`).",
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
  runtime: z.enum(["onnx"]).default("onnx").meta({ description: "What runs the model." }),
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
    .meta({ unit: "threads", description: "Threads one prediction may use." }),
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

const service = z.strictObject({
  default: z.boolean().optional().meta({
    description: "Also answers on /predict, /label, …; a single service is it by itself.",
  }),
  graph: name.optional().meta({
    description: "Model or service it runs; absent: the model of its own name.",
  }),
  timeout: duration("1ms", DAY)
    .prefault("2s")
    .meta({ description: "Longest time a request may take." }),
});

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
    })
    .prefault({})
    .meta({ description: "What is kept on disk." }),
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

/** May a model or a service have this name? */
export function isName(text: string): boolean {
  return NAME_PATTERN.test(text);
}

/** Text with a unit → milliseconds between `min` and `max`. */
function duration(min: string, max: string) {
  return measure(DURATION_PATTERN, parseDuration, [min, max]).meta({
    kind: "duration",
    unit: DURATION_UNITS,
    range: `${min} to ${max}`,
  });
}

/** Text with a unit → bytes between `min` and `max`. */
function size(min: string, max: string) {
  return measure(SIZE_PATTERN, parseSize, [min, max]).meta({
    kind: "size",
    unit: SIZE_UNITS,
    range: `${min} to ${max}`,
  });
}

function measure(
  pattern: RegExp,
  parse: (text: string) => number | undefined,
  [min, max]: readonly [string, string],
) {
  return z
    .string()
    .regex(pattern)
    .transform((text, context) => {
      const value = parse(text) ?? Number.NaN;
      if (value >= (parse(min) ?? 0) && value <= (parse(max) ?? 0)) return value;
      context.issues.push({ code: "custom", input: text });
      return z.NEVER;
    });
}

function laterPort(what: string): string {
  return `Port of ${what} in a later version: accepted for files written for it, nothing listens there yet.`;
}
