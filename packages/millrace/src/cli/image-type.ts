import { extname } from "node:path";

/** Type of a picture by the ending of its name; the server looks at its content. */
const IMAGE_TYPES: ReadonlyMap<string, string> = new Map([
  [".jpg", "image/jpeg"],
  [".jpeg", "image/jpeg"],
  [".png", "image/png"],
  [".webp", "image/webp"],
]);

/** @returns the media type of a file that is a picture by its name; undefined for others. */
export function imageTypeOf(path: string): string | undefined {
  return IMAGE_TYPES.get(extname(path).toLowerCase());
}
