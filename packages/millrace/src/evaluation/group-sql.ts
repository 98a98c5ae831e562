import { LOG_COLUMNS } from "../core/predictions/columns.ts";

/** Parts of the path, made of the time, so that what is not in a file yet has them too. */
const OF_TIME: Readonly<Record<string, string>> = {
  dt: "strftime(ts, '%Y-%m-%d')",
  hour: "strftime(ts, '%H')",
};

const COLUMNS: ReadonlySet<string> = new Set(LOG_COLUMNS.predictions.map(({ name }) => name));

export interface GroupSql {
  /** One expression a name: text, empty where a prediction has none. */
  readonly expressions: readonly string[];
  /** Values of `$<first>` and those after it. */
  readonly parameters: readonly string[];
}

/**
 * What to group by: a column of `predictions`, `dt`, `hour`, `attributes.<name>`, `features.<name>`, or the name of
 * either. Names are parameters, never part of the SQL.
 * @param firstParameter number of the first parameter that is free.
 */
export function groupSql(names: readonly string[], firstParameter: number): GroupSql {
  const parameters: string[] = [];
  const expressions = names.map((name) => {
    const column = OF_TIME[name] ?? (COLUMNS.has(name) ? `"${name}"` : undefined);
    if (column !== undefined) return orEmpty(`CAST(${column} AS VARCHAR)`);
    const [, place, inside] = /^(attributes|features)\.(.+)$/.exec(name) ?? [];
    parameters.push(pointer(inside ?? name));
    const path = `$${firstParameter + parameters.length - 1}`;
    const of = (json: string): string => `json_extract_string("${json}", ${path})`;
    return orEmpty(place === undefined ? `${of("attributes")}, ${of("features")}` : of(place));
  });
  return { expressions, parameters };
}

function orEmpty(values: string): string {
  return `COALESCE(${values}, '')`;
}

/** RFC 6901, which has an escape for every name. */
function pointer(name: string): string {
  return `/${name.replaceAll("~", "~0").replaceAll("/", "~1")}`;
}
