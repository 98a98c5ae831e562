/**
 * Content types as clients really write them, when the body is JSON or binary tensors. Any other one, or another
 * way to write these, may be fine as well; that is for Fastify to judge.
 */
const PLAIN = new Set([
  "application/json",
  "application/json; charset=utf-8",
  "application/json;charset=utf-8",
  "application/json; charset=UTF-8",
  "application/json;charset=UTF-8",
  "application/octet-stream",
  "application/x-www-form-urlencoded",
]);

export function isPlainMediaType(contentType: string | undefined): boolean {
  return contentType === undefined || PLAIN.has(contentType);
}
