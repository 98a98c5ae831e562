type Loose<T> = { readonly [Key in keyof T]: T[Key] | null | undefined };

/** An object of the members that are known: neither undefined nor null. */
export function knownMembers<T extends object>(members: Loose<T>): T {
  const known = Object.entries(members).filter(
    ([, value]) => value !== undefined && value !== null,
  );
  return Object.fromEntries(known) as T;
}
