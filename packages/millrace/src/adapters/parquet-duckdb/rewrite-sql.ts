import type { LogTable } from "../../core/predictions/log-block.ts";
import type { RewriteChange } from "../../ports/log-tables.ts";
import { isForgottenSql } from "./forgotten-sql.ts";

/** What is of the payload, or may tell something of it: what the rules were asked, too. */
const PAYLOAD_COLUMNS = ["features", "prediction", "attributes", "rules", "observed"] as const;

/** The rows a rewrite keeps, as it keeps them. @param rows what `from` takes. */
export function keptRows(table: LogTable, rows: string, change: RewriteChange): string {
  switch (change.kind) {
    case "compact":
      return `select * from ${rows}`;
    case "drop_payload": {
      if (table !== "predictions") return `select * from ${rows}`;
      const dropped = PAYLOAD_COLUMNS.map((name) => `null::varchar as ${name}`);
      const payload = "case when payload = 'full' then 'dropped' else payload end as payload";
      return `select * replace (${[...dropped, payload].join(", ")}) from ${rows}`;
    }
    case "forget":
      return `select * from ${rows} where not ${isForgottenSql(table, change)}`;
  }
}
