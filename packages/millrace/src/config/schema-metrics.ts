import { z } from "zod";
import { duration, name, share } from "./schema-values.ts";

/** Most metrics of one experiment. */
const METRICS_MAX = 32;

const goal = z.enum(["increase", "decrease"]).default("increase").meta({
  description: "Which way is better.",
});

const role = z.enum(["primary", "secondary", "guardrail"]).default("secondary").meta({
  description:
    "`primary` decides, at most one; a `guardrail` that gets worse rolls back; `secondary` ones are told, corrected for their number.",
});

const margin = share().prefault("0%").meta({
  description:
    "How much worse, as a share of the control arm's mean, is still all right. A guardrail is shown to be safe when its interval stays within.",
});

const eventMetric = z
  .strictObject({
    event: name.meta({ description: "Name of the events in `POST /feedback`." }),
    aggregate: z.enum(["converted", "count", "sum", "average"]).default("converted").meta({
      description:
        "What a unit counts as: 1 when it has an event, the number of its events, the sum of their values; `average` is the mean value of all events.",
    }),
    goal,
    role,
    margin,
    window: duration("1m", "365d").optional().meta({
      description:
        "Events count so long after the unit's first exposure, and only units exposed so long ago are compared; absent: `analysis.window`.",
    }),
    lookback: duration("1m", "365d").optional().meta({
      description:
        "Takes out what the same events so long before the first exposure explain already (CUPED); absent: nothing is taken out.",
    }),
  })
  .meta({ tellingKey: "event" });

const labelMetric = z
  .strictObject({
    label: z.literal("correct").meta({
      description: "Share of the labelled predictions whose label is the predicted one.",
    }),
    goal,
    role,
    margin,
    window: duration("1m", "365d").optional().meta({
      description: "Labels count so long after their prediction; absent: `analysis.window`.",
    }),
  })
  .meta({ tellingKey: "label" });

/** `metrics` of an experiment. */
export const metrics = z
  .record(
    name,
    z.union([eventMetric, labelMetric]).meta({
      description: "Of what clients report of units, `event`, or of labelled predictions, `label`.",
    }),
  )
  .refine(
    (map) => Object.keys(map).length <= METRICS_MAX,
    `found too many metrics, expected at most ${METRICS_MAX}`,
  )
  .prefault({})
  .meta({
    description: "What the arms are compared by, beside errors and latency.",
    examples: [{ purchase: { event: "purchase", role: "primary" } }],
  });

const off = z.literal("off");

/** `guardrails` of an experiment: of every one, whether it is written or not. */
export const guardrails = z.strictObject({
  errors: z.union([off, share()]).prefault("0.5%").meta({
    description:
      "Share of failed predictions above that of the control arm that is all right, as a difference: `0.5%` allows 1.5 % beside 1 %.",
  }),
  latency: z.union([off, share()]).prefault("5%").meta({
    description:
      "Share of predictions slower than the 95th percentile of the control arm, beyond the 5 % that are so by definition, that is all right.",
  }),
  onRegression: z.enum(["rollback", "hold", "warn"]).default("rollback").meta({
    description:
      "What a guardrail that got worse does: gives all traffic to the control arm, stops the ramp where it is, or is only told.",
  }),
  onMismatch: z.enum(["rollback", "hold", "warn"]).default("hold").meta({
    description:
      "Likewise when the units are not split as the weights say (p < 0.01 over all looks together), or some were in several arms: then the numbers cannot be trusted.",
  }),
});
