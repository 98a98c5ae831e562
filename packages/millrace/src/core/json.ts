/** A value as JSON has it, with whole numbers beyond 2^53 kept exact as bigint. Objects have no prototype. */
export type JsonValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | readonly JsonValue[]
  | { readonly [key: string]: JsonValue };
