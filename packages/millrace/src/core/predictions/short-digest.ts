/** Eight hexadecimal digits that tell texts apart which nobody chose to look alike: FNV-1a over UTF-16 units. */
export function shortDigest(text: string): string {
  return fnv1a(text).toString(16).padStart(8, "0");
}

/** @param seed another one gives numbers that have nothing to do with those of this one. @returns 32 bits. */
export function fnv1a(text: string, seed = 0): number {
  let hash = 0x811c9dc5 ^ seed;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  // The last characters would reach the upper bits hardly at all, and shares of the requests go by those.
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
