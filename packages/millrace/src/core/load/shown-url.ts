/** Names of query parameters whose values are secrets; one too many does no harm. */
const SECRET_NAME = /key|token|secret|pass|pwd|auth|sig|cred|session|jwt/i;

/** A URL for reports and results, which are passed around: without what lets somebody in, and what is not sent anyway. */
export function shownUrl(text: string): string {
  const [sent = ""] = text.split("#", 1);
  const [address = "", ...query] = sent.split("?");
  const place = address.replace(/^(https?:\/\/)[^/]*@/i, "$1…@");
  return query.length === 0 ? place : `${place}?${shownQuery(query.join("?"))}`;
}

function shownQuery(query: string): string {
  const pairs = query.split("&").map((pair) => {
    const [name = "", ...value] = pair.split("=");
    return value.length > 0 && SECRET_NAME.test(decoded(name)) ? `${name}=…` : pair;
  });
  return pairs.join("&");
}

function decoded(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}
