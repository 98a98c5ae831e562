import { TAIL_SCHEMA } from "./query-database.ts";

/**
 * Functions that stand where a table may: those that make rows of their arguments, or say what there is. Others open
 * files, run SQL that is hidden in a text, or change the database for all who ask after: `enable_logging` writes a file
 * wherever it is told, although the configuration is locked.
 */
const TABLE_FUNCTIONS: ReadonlySet<string> = new Set([
  "duckdb_columns",
  "duckdb_functions",
  "duckdb_keywords",
  "duckdb_types",
  "generate_series",
  "json_each",
  "json_tree",
  "pg_timezone_names",
  "pragma_table_info",
  "pragma_version",
  "range",
  "repeat",
  "repeat_row",
  "unnest",
]);

/** A node of the tree that `json_serialize_sql` makes: `{"type":"TABLE_FUNCTION","function":{"function_name":"range"…`. */
interface TreeNode {
  readonly type?: unknown;
  readonly function?: { readonly function_name?: unknown };
  readonly schema_name?: unknown;
}

/**
 * Looks through the whole tree of a query for what it may not ask, though the database would answer.
 * @param tree as `json_serialize_sql` has it.
 * @returns its name; undefined when there is none.
 */
export function forbiddenName(tree: unknown): string | undefined {
  // Not by recursion: how deep it is, is up to who asks.
  const nodes = [tree];
  while (nodes.length > 0) {
    const node = nodes.pop();
    if (typeof node !== "object" || node === null) continue;
    const name = forbiddenNameOf(node);
    if (name !== undefined) return name;
    for (const inner of Object.values(node)) nodes.push(inner);
  }
  return undefined;
}

function forbiddenNameOf(node: TreeNode): string | undefined {
  if (node.type === "TABLE_FUNCTION") {
    const name = String(node.function?.function_name).toLowerCase();
    return TABLE_FUNCTIONS.has(name) ? undefined : `${name}()`;
  }
  // Its rows may be forgotten; the tables leave those out.
  const schema = String(node.schema_name).toLowerCase();
  return schema === TAIL_SCHEMA ? `schema ${schema}` : undefined;
}
