/**
 * What `import … from "millrace"` gives inside the thread of a function: the part that functions need. The rest of the
 * package would load a model runtime into every thread.
 */
export { defineCombine } from "./define-combine.ts";
export { defineLoad } from "./define-load.ts";
export { defineStep } from "./define-step.ts";
export { InvalidInput } from "./invalid-input.ts";
