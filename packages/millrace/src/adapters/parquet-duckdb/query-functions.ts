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
interface TableFunctionNode {
  readonly type: "TABLE_FUNCTION";
  readonly function: { readonly function_name: string };
}

/**
 * Looks through the whole tree of a query.
 * @param tree as `json_serialize_sql` has it.
 * @returns name of a function that may not stand where a table may; undefined when there is none.
 */
export function forbiddenFunction(tree: unknown): string | undefined {
  // Not by recursion: how deep it is, is up to who asks.
  const nodes = [tree];
  while (nodes.length > 0) {
    const node = nodes.pop();
    if (typeof node !== "object" || node === null) continue;
    if (isTableFunction(node)) {
      const name = node.function.function_name.toLowerCase();
      if (!TABLE_FUNCTIONS.has(name)) return name;
    }
    for (const inner of Object.values(node)) nodes.push(inner);
  }
  return undefined;
}

function isTableFunction(node: object): node is TableFunctionNode {
  return (node as { readonly type?: unknown }).type === "TABLE_FUNCTION";
}
