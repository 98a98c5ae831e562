import type { CompareConfig } from "../../config/shadow-config.ts";

/** How a shadow is compared, as the file says it: `label`, `tolerance 0.01`, `top 3`, `compare.ts`. */
export function describeCompare(compare: CompareConfig): string {
  switch (compare.kind) {
    case "auto":
    case "equal":
    case "label":
      return compare.kind;
    case "tolerance":
      return `tolerance ${compare.tolerance}`;
    case "top-k":
      return `top ${compare.k}`;
    case "function":
      return compare.path;
  }
}
