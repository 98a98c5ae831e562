import type { LogTable } from "./log-block.ts";

export interface LogColumn {
  readonly name: string;
  /** Of DuckDB, and so of the Parquet files. */
  readonly type: "VARCHAR" | "TIMESTAMP" | "INTEGER" | "BIGINT" | "DOUBLE" | "BOOLEAN";
  readonly description: string;
}

/** The columns of the tables, in their order. Later versions add some and never rename one. */
export const LOG_COLUMNS: Readonly<Record<LogTable, readonly LogColumn[]>> = {
  predictions: [
    column("ts", "TIMESTAMP", "When the request came, UTC, microseconds."),
    column(
      "prediction_id",
      "VARCHAR",
      "UUIDv7; of a request of several rows `<id>#<row>`, from 0.",
    ),
    column("request_id", "VARCHAR", "As in `x-request-id`."),
    column("trace_id", "VARCHAR", "Of W3C trace context; null without one."),
    column("service", "VARCHAR", "Service that was asked."),
    column("endpoint", "VARCHAR", "Route or call it came by: `/predict`, `ModelInfer`."),
    column(
      "model",
      "VARCHAR",
      "Model that was to answer; of a graph its service. Also names the folder.",
    ),
    column("version", "VARCHAR", "Of the model."),
    column("model_digest", "VARCHAR", "Of the model's files, or of the graph."),
    column("models", "VARCHAR", "Models that ran in a graph: `a@1, b@2`; null of a model alone."),
    column("role", "VARCHAR", "`primary`, `fallback`, `cache` or `shadow`."),
    column("experiment", "VARCHAR", "Experiment whose arm answered; null where a rule decided."),
    column("variant", "VARCHAR", "That arm."),
    column("phase", "INTEGER", "Phase in which the unit got it."),
    column(
      "propensity",
      "DOUBLE",
      "Probability of the arm among the units that take part; null of requests that do not take part.",
    ),
    column("unit_hash", "VARCHAR", "Keyed hash of whom it was for."),
    column("route_rule", "VARCHAR", "Rule of `traffic.rules` that matched; null when none did."),
    column(
      "param_version",
      "INTEGER",
      "Version of the live changes that were in force; 0 is none.",
    ),
    column("status", "VARCHAR", "`ok` or `error`."),
    column("error_code", "VARCHAR", "Code of the error table."),
    column("error", "VARCHAR", "Text of the error."),
    column(
      "degraded",
      "VARCHAR",
      "`fallback`, `partial` or `cached` when it was not what was asked for.",
    ),
    column("cache", "VARCHAR", "`hit`, `miss` or `stale` where a cache was asked."),
    column("queue_us", "BIGINT", "Microseconds until its batch left."),
    column(
      "batch_us",
      "BIGINT",
      "Microseconds in which its batch was put together and taken apart.",
    ),
    column("infer_us", "BIGINT", "Microseconds of the model, or of all steps of the graph."),
    column("total_us", "BIGINT", "Microseconds from arrival to answer."),
    column("row_index", "INTEGER", "Row of the request, from 0."),
    column("row_count", "INTEGER", "Rows of the request."),
    column("input_schema_ver", "VARCHAR", "Tells the names, types and shapes of the inputs apart."),
    column(
      "features",
      "VARCHAR",
      "JSON: the row's inputs, by column where they have names, else by input.",
    ),
    column("prediction", "VARCHAR", "JSON: the prediction of the row, as `/predict` answers it."),
    column("label", "VARCHAR", "Its label: the class with the largest value."),
    column("score", "DOUBLE", "The element of the prediction that thresholds look at."),
    column("threshold", "DOUBLE", "The service's threshold, where it has one."),
    column("is_outlier", "BOOLEAN", "Null where the service says nothing of outliers."),
    column("outlier_score", "DOUBLE", "The value it was told by."),
    column("attributes", "VARCHAR", "JSON: what `log.attributes` of the service names."),
    column(
      "payload",
      "VARCHAR",
      "`full`, or why inputs are missing: `off`, `shed`, `too_large`, `failed`, `dropped`.",
    ),
    column(
      "payload_ref",
      "VARCHAR",
      "Always null: nothing keeps inputs yet that are too large for a row.",
    ),
    column(
      "sampled_weight",
      "DOUBLE",
      "Predictions the row stands for; sum it instead of counting.",
    ),
    column(
      "policy",
      "VARCHAR",
      "Tells versions of the privacy rules apart; null where there are none.",
    ),
    column("steps", "VARCHAR", "JSON: the steps of a graph with their times."),
    column("rules", "VARCHAR", "JSON: what the rules were asked and said."),
    column("observed", "VARCHAR", "JSON: predictions of deactivated branches."),
    column("assignment", "VARCHAR", "JSON: how the arm of the experiment was found."),
    column("shadow", "VARCHAR", "Shadow whose prediction it is; null of answers."),
    column(
      "is_agreed",
      "BOOLEAN",
      "Is the shadow's prediction as good as the answer? Null unless both answered.",
    ),
    column("distance", "DOUBLE", "How far both are apart, where the comparison measures it."),
    column("difference", "VARCHAR", "What differs, for people."),
    column("primary_model", "VARCHAR", "What answered the request that the shadow got: `iris@1`."),
    column("primary_code", "VARCHAR", "How that ended: `ok` or a code of the error table."),
    column("primary_us", "BIGINT", "Microseconds of that, from arrival to answer."),
    column("primary_infer_us", "BIGINT", "Microseconds of its model, or of all its steps."),
    column("node", "VARCHAR", "Process that logged it."),
  ],
  feedback: [
    column(
      "ts",
      "TIMESTAMP",
      "When it happened, as the sender says; else when it came. UTC, microseconds.",
    ),
    column("received_ts", "TIMESTAMP", "When it came."),
    column("feedback_id", "VARCHAR", "The same for what was sent again."),
    column("prediction_id", "VARCHAR", "Prediction it is about; null when it names a unit."),
    column("unit_hash", "VARCHAR", "Keyed hash of the unit it is about."),
    column("service", "VARCHAR", "Service whose route it came by."),
    column("kind", "VARCHAR", "`label` or `event`."),
    column("label", "VARCHAR", "What was right: a label as text, a number or a list as JSON."),
    column("event", "VARCHAR", "Name of what the client did."),
    column("value", "DOUBLE", "Of the event, or of a label that is a number."),
    column("source", "VARCHAR", "Who says so."),
    column("attributes", "VARCHAR", "JSON: whatever else the sender gave."),
    column("is_late", "BOOLEAN", "Came later than `log.feedback.window` after its prediction."),
    column("node", "VARCHAR", "Process that logged it."),
  ],
  exposures: [
    column(
      "ts",
      "TIMESTAMP",
      "When a process first saw the unit in the experiment, UTC, microseconds.",
    ),
    column("service", "VARCHAR", "Service that was asked."),
    column("experiment", "VARCHAR", "Experiment."),
    column("phase", "INTEGER", "Phase in which the unit got its arm."),
    column("variant", "VARCHAR", "Its arm."),
    column("unit_hash", "VARCHAR", "Keyed hash of the unit; null where each request draws."),
    column("prediction_id", "VARCHAR", "Prediction it came with."),
    column("propensity", "DOUBLE", "Probability of the arm among the units that take part."),
    column("coverage", "DOUBLE", "Share of the units that took part then."),
    column("hash", "DOUBLE", "Where the unit fell, 0 to 1."),
    column("node", "VARCHAR", "Process that logged it."),
  ],
};

/** Parts of the path, outermost first: `dt=2026-11-21`. They are columns too; `dt` and `hour` only there. */
export const LOG_PARTITIONS: Readonly<Record<LogTable, readonly string[]>> = {
  predictions: ["dt", "hour", "model"],
  feedback: ["dt"],
  exposures: ["dt"],
};

function column(name: string, type: LogColumn["type"], description: string): LogColumn {
  return { name, type, description };
}
