import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { DuckDbQueryEngine } from "../../packages/millrace/src/adapters/parquet-duckdb/query-engine.ts";
import { blockOf, contextOf, feedbackBlockOf, LogWorld } from "./log-world.ts";

const PAGE = readFileSync(join(import.meta.dirname, "../../docs/querying.md"), "utf8");
const QUERIES = [...PAGE.matchAll(/```sql\n([^]*?)```/g)].map(([, sql = ""]) => sql);

it("every query of docs/querying.md runs, and finds what just happened", async () => {
  await using world = new LogWorld();
  const writer = world.writer();
  const receivedUs = Date.now() * 1_000;
  const context = contextOf({ columns: { x: ["sepal_length", "sepal_width"] } });
  await writer.append(
    blockOf(
      { predictionId: "a", receivedUs, context },
      { predictionId: "b", receivedUs, context, errorCode: "OVERLOADED", outputs: undefined },
    ),
  );
  await writer.append(feedbackBlockOf({ prediction_id: "a", label: "versicolor" }));
  const engine = new DuckDbQueryEngine({
    folder: world.folder,
    segments: world.segments,
    memoryBytesMax: 2 ** 28,
    timeoutMs: 20_000,
    threadCount: 2,
  });
  try {
    expect(QUERIES.length).toBeGreaterThan(4);
    const answers = await Promise.all(
      QUERIES.map((sql) =>
        engine.query({ sql, format: "json", parameters: [], rowsMax: 9, timeoutMs: undefined }),
      ),
    );
    const rowCounts = answers.map((answer) => (answer.kind === "rows" ? answer.rows.length : 0));
    expect(rowCounts).toEqual(QUERIES.map(() => 1));
    expect(answers).toMatchObject([
      { rows: [["iris", expect.any(String), 2, 0.5]] },
      { rows: [["iris", "1", 2, [10, 10], 1]] },
      { rows: [["iris", "OVERLOADED", null, 1]] },
      { rows: [[expect.any(String), "versicolor", 1]] },
      {},
      { rows: [["iris", "1", 1, 1]] },
    ]);
  } finally {
    await engine.close();
  }
});
