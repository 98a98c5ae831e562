import { z } from "zod";
import { RULES_MAX } from "../core/rules/rule-set.ts";
import { cache } from "./schema-cache.ts";
import { condition } from "./schema-condition.ts";
import { experiment } from "./schema-experiment.ts";
import { serviceLog } from "./schema-log.ts";
import { parameters } from "./schema-parameters.ts";
import { shadow } from "./schema-shadow.ts";
import { step } from "./schema-step.ts";
import { DAY, duration, name, rate } from "./schema-values.ts";

/** Most shadows of one service. */
const SHADOWS_MAX = 8;

const limits = z.strictObject({
  concurrency: z
    .union([z.enum(["auto", "off"]), z.int().min(1).max(100_000)])
    .default("auto")
    .meta({
      unit: "requests",
      live: true,
      description:
        "Requests in work at a time, over all processes; `auto` learns the number from latency, `off` has none.",
    }),
  queue: z.int().min(0).max(1_000_000).default(1000).meta({
    unit: "requests",
    live: true,
    description:
      "Requests that wait for their turn, over all processes; one more is refused. With 0 none waits.",
  }),
  rate: rate("1/h", "1000000/s")
    .optional()
    .meta({
      live: true,
      description: "Requests taken in a time, over all processes; absent: no limit.",
      examples: ["2000/s", "100/m"],
    }),
});

const overload = z
  .union([
    z.enum(["reject", "cached"]),
    z.strictObject({
      reply: z
        .unknown()
        .refine((reply) => reply !== undefined)
        .meta({ live: true, description: "Body of the answer, any JSON; its status is 200." }),
    }),
    z.strictObject({
      fallback: step.meta({
        live: true,
        description: "What answers: a model, a service or a step.",
      }),
    }),
  ])
  .prefault("reject")
  .meta({
    live: true,
    later: ["async"],
    description:
      "What a request gets that the limits refuse: `reject` an error, `cached` what the prediction cache still has, `{ reply: … }` this body, `{ fallback: <step> }` the answer of another model, service or step.",
    examples: ["cached", { reply: { prediction: null } }, { fallback: "small" }],
  });

const rule = z.strictObject({
  name: name.meta({ description: "Shown in metrics, in the access log and by `explain`." }),
  when: condition,
  to: name.meta({ description: "Model or service that answers." }),
});

const traffic = z.strictObject({
  rules: z
    .array(rule)
    .refine(
      (rules) => rules.length <= RULES_MAX,
      `found too many rules, expected at most ${RULES_MAX}`,
    )
    .default([])
    .meta({
      live: true,
      description:
        "Which model answers which request: the first rule that matches decides, without one the service's own.",
      examples: [[{ name: "mountain", when: { header: { target: "mountain" } }, to: "plant" }]],
    }),
  experiment: experiment.optional().meta({
    description:
      "Gives units of traffic different models and compares them; requests that a rule catches take no part.",
  }),
  shadow: z
    .array(shadow)
    .max(SHADOWS_MAX)
    .prefault([])
    .meta({
      description:
        "What gets a copy of the requests that are let in; its predictions are compared and answer nobody.",
      examples: [[{ to: "iris-rf", percent: "10%", compare: "label" }]],
    }),
  excluded: z
    .record(name, z.boolean().meta({ live: true }))
    .default({})
    .meta({
      live: true,
      description: "Shadows that get nothing, by name; a verdict of `exclude` sets it.",
      examples: [{ rf: true }],
    }),
});

const reply = z.strictObject({
  include: z
    .array(z.enum(["mode", "prediction_id"]))
    .max(2)
    .default([])
    .meta({
      live: true,
      description:
        "Facts that stand in the body of `/predict` too: `mode`, the arm that answered, and the id of the prediction.",
      examples: [["mode"]],
    }),
});

/** `services.<name>` of the file. */
export const service = z.strictObject({
  default: z.boolean().optional().meta({
    description: "Also answers on /predict, /label, …; a single service is it by itself.",
  }),
  graph: step.optional().meta({
    kind: "step",
    description:
      "What it does with a request: a model, or steps over models; absent: the model of its own name.",
    examples: ["iris", { parallel: { setosa: "iris-setosa", virginica: "iris-virginica" } }],
  }),
  timeout: duration("1ms", DAY)
    .prefault("2s")
    .meta({ live: true, description: "Longest time a request may take." }),
  limits: limits.prefault({}).meta({ description: "How much the service takes on." }),
  overload,
  cache: cache.prefault({}).meta({ description: "What is answered again without work." }),
  parameters: parameters
    .prefault({})
    .meta({ description: "Switches that can be thrown while it runs." }),
  traffic: traffic.prefault({}).meta({ description: "How requests are spread over models." }),
  reply: reply.prefault({}).meta({ description: "What the answers of `/predict` hold." }),
  log: serviceLog.prefault({}).meta({ description: "What of its predictions is logged." }),
});
