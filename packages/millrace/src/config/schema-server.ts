import { z } from "zod";
import { DAY, duration, name, path, rotatedFile, size } from "./schema-values.ts";

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
  file: rotatedFile("File the log is written to, instead of standard error.")
    .optional()
    .meta({ description: "Log file with rotation by size; absent: standard error." }),
});

/** `server` of the file. */
export const server = z.strictObject({
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
  grpcPort: portOrOff.default(8001).meta({
    description: "Port of the gRPC interface; `off` switches it off, 0 takes a free port.",
  }),
  metricsPort: portOrOff
    .default(8002)
    .meta({ description: "Port of `/metrics`; `off` switches it off, 0 takes a free port." }),
  controlPort: portOrOff.default(8080).meta({
    description:
      "Port of the control interface under `millrace up`; `off` switches it off, 0 takes a free port.",
  }),
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
