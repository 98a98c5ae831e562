const ID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?:#(?:0|[1-9]\d{0,8}))?$/;

/**
 * The id of a prediction, or of one row of it, `<UUID>#<row>`. Whether there is such a prediction shows when the two are
 * joined.
 * @returns it in lower case, as predictions are logged; undefined when it is none.
 */
export function readPredictionId(text: string): string | undefined {
  const id = text.toLowerCase();
  return ID.test(id) ? id : undefined;
}
