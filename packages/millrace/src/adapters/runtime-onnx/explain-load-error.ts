/** What onnxruntime says when it refuses a model → what it means and what helps. Tried with 1.30. */
const EXPLANATIONS: readonly {
  readonly says: RegExp;
  readonly means: (...found: readonly string[]) => string;
}[] = [
  {
    says: /Unsupported model IR version: (\d+), max supported IR version: (\d+)/,
    means: (found, max) =>
      `its IR version is ${found}, the highest supported is ${max}; export it with an older onnx package`,
  },
  {
    says: /Opset (\d+) is under development[\s\S]*for domain (\S+) is till opset (\d+)/,
    means: (found, domain, max) =>
      `it needs opset ${found} of ${domain}, the highest supported is ${max}; ` +
      `export it with target_opset ${max} or lower`,
  },
  {
    says: /Missing opset in the model/,
    means: () => "it names no operator set, so it is truncated or not an ONNX model",
  },
  {
    says: /Fatal error: (\S+):(\S+?)\(-?\d+\) is not a registered function\/op/,
    means: (domain, operator) =>
      `its operator ${operator} of domain ${domain} is unknown; custom operators are not supported`,
  },
  {
    says: /No Op registered for (\S+) with domain_version of (\d+)/,
    means: (operator, opset) =>
      `its operator ${operator} is unknown in opset ${opset}; custom operators are not supported`,
  },
  {
    says: /Could not find an implementation for (\w+)\((\d+)\)/,
    means: (operator, version) =>
      `its operator ${operator} (version ${version}) has no CPU implementation for these types; ` +
      "export it with FLOAT tensors",
  },
  {
    says: /[Pp]rotobuf parsing failed/,
    means: () => "it is damaged, onnxruntime cannot parse it",
  },
];

/** Longest text of onnxruntime that is passed on when no explanation fits. */
const TEXT_CHARACTERS_MAX = 300;

/** @returns why onnxruntime refused the model, as the end of "Cannot load model "<path>": …". */
export function explainLoadError(error: unknown): string {
  const text = error instanceof Error ? error.message : "unknown error";
  for (const { says, means } of EXPLANATIONS) {
    const match = says.exec(text);
    if (match !== null) return means(...match.slice(1));
  }
  return `onnxruntime refuses it: ${withoutSourceLocation(text).slice(0, TEXT_CHARACTERS_MAX)}`;
}

/** Drops "/onnxruntime_src/onnxruntime/core/graph/model.cc:187 onnxruntime::Model::Model(…) ". */
function withoutSourceLocation(text: string): string {
  const [firstLine = ""] = text.trim().split("\n");
  return firstLine.replace(/\/onnxruntime_src\/\S+ .*?\) (?=[A-Z])/, "");
}
