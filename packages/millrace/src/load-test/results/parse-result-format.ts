import { LoadInputError } from "../load-input-error.ts";
import type { ResultFormat } from "./stored-result.ts";

/** @param flag that it was given with. @throws LoadInputError for anything but csv and json. */
export function parseResultFormat(text: string, flag: string): ResultFormat {
  if (text === "csv" || text === "json") return text;
  const gob =
    text === "gob" ? "; gob is a form that only Go has, and vegeta reads csv and json too" : "";
  throw new LoadInputError(`${flag}: expected csv or json, found ${JSON.stringify(text)}${gob}`);
}
