import { z } from "zod";
import { guardrails, metrics } from "./schema-metrics.ts";
import { ramp } from "./schema-ramp.ts";
import { requestValue } from "./schema-request-value.ts";
import { step } from "./schema-step.ts";
import { duration, name, share } from "./schema-values.ts";

/** Most arms of one experiment. */
const ARMS_MAX = 16;

const UNITS_MAX = 4;

const analysis = z.strictObject({
  every: duration("1s", "1d").prefault("1m").meta({
    description: "How often the numbers are looked at.",
  }),
  window: duration("1s", "365d").prefault("7d").meta({
    description:
      "Events and labels count so long after the first exposure of their unit, and only units exposed so long ago are compared.",
  }),
  method: z.enum(["sequential", "fixed"]).default("sequential").meta({
    description:
      "`sequential` intervals hold however often one looks; those of `fixed` hold for one look, when `unitsMin` have come.",
  }),
  alpha: z.number().min(0.0001).max(0.5).default(0.05).meta({
    range: "0.0001 to 0.5",
    description: "Probability of an interval that misses the truth.",
  }),
  unitsMin: z.int().min(2).max(1_000_000_000).default(100).meta({
    unit: "units",
    description: "Units of each arm below which nothing is decided.",
  }),
  unitsTuned: z.int().min(100).max(1_000_000_000).default(5000).meta({
    unit: "units",
    description: "Units of all arms at which sequential intervals are tightest.",
  }),
  lengthMin: duration("0s", "365d").prefault("0s").meta({
    description: "Time before which nothing ships, such as a whole week.",
  }),
  lengthMax: duration("1m", "365d").prefault("30d").meta({
    description: "Time after which an experiment without a result is inconclusive.",
  }),
});

/** `traffic.experiment` of a service. */
export const experiment = z.strictObject({
  name: name.meta({ description: "Shown in metrics, in the log and by `millrace experiment`." }),
  unit: z
    .union([requestValue, z.array(requestValue).min(1).max(UNITS_MAX)])
    .optional()
    .meta({
      description:
        "Whom a request is for: the same unit always gets the same arm. Of a list the first that is there; a request without one gets the control arm and is not counted. Absent: each request draws.",
      examples: ["header.x-user-id", ["header.x-user-id", "cookie.visitor"]],
    }),
  arms: z
    .record(name, step)
    .refine((arms) => Object.keys(arms).length >= 2, "found one arm, expected at least two")
    .refine(
      (arms) => Object.keys(arms).length <= ARMS_MAX,
      `found too many arms, expected at most ${ARMS_MAX}`,
    )
    .meta({
      description: "What answers, by the name of the arm: a model, a service or a step.",
      examples: [{ control: "iris-svc", treatment: "iris-rf" }],
    }),
  control: name.optional().meta({
    description: "Arm that the others are compared with; absent: `control`, else the first.",
  }),
  weights: z
    .record(name, z.number().min(0).max(1_000_000).meta({ live: true }))
    .optional()
    .meta({
      live: true,
      description:
        "How the units that take part are divided; absent: equally. Changing them moves units, so it begins a new phase; raise `coverage` to let more take part.",
      examples: [{ control: 60, treatment: 40 }],
    }),
  coverage: share().optional().meta({
    live: true,
    description:
      "Share of the units that take part; the others get the control arm and are not counted. Raising it moves nobody who takes part already. Absent: 100%; with a `ramp`, which says it from its start on, 0%.",
  }),
  active: z.boolean().default(true).meta({
    live: true,
    description: "false: everyone gets the control arm at once.",
  }),
  winner: name.optional().meta({
    live: true,
    description: "Arm that everyone gets, once that is decided; nobody takes part any longer.",
  }),
  salt: z.string().min(1).max(256).optional().meta({
    description: "What units are divided by, beside themselves; absent: the name.",
  }),
  namespace: z
    .strictObject({
      name: name.meta({ description: "Experiments that share it divide the units between them." }),
      from: share().meta({ description: "Begin of this experiment's part." }),
      to: share().meta({ description: "End of this experiment's part." }),
    })
    .optional()
    .meta({
      description: "Keeps units out of experiments that must not overlap.",
      examples: [{ name: "checkout", from: 0, to: 0.5 }],
    }),
  override: z
    .union([z.literal("off"), requestValue])
    .prefault("header.x-variant")
    .meta({
      description:
        "Value of a request that names the arm it wants, for tests; such requests are not counted.",
    }),
  sticky: z.boolean().default(true).meta({
    description:
      "Does a unit keep its arm when the weights change? It is kept in `<state.dir>/units.sqlite` under a keyed hash.",
  }),
  minPhase: z.int().min(1).default(1).meta({
    live: true,
    description: "Units whose arm is of an earlier phase do not take part any longer.",
  }),
  metrics,
  guardrails: guardrails.prefault({}).meta({ description: "What must not get worse." }),
  analysis: analysis.prefault({}).meta({ description: "How the arms are compared." }),
  ramp: ramp
    .optional()
    .meta({ description: "Raises `coverage` by itself; absent: it stays as it is." }),
});
