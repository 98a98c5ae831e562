/** A value of a request. */
export type RequestValue =
  | { readonly from: "header" | "cookie" | "query"; readonly name: string }
  | { readonly from: "body"; readonly path: readonly string[] }
  /** Of the bearer token, as it is: nobody has checked who signed it. */
  | { readonly from: "jwt"; readonly path: readonly string[] };
