import type { OnnxGraph } from "./onnx-model.ts";
import { readLabels } from "./onnx-model.ts";
import type { RemovedZipMap } from "./remove-zip-map.ts";

/** Where a classifier's answer is. */
export interface Classes {
  readonly probabilitiesOutput: string | undefined;
  readonly labels: readonly string[] | undefined;
}

const NO_CLASSES: Classes = { probabilitiesOutput: undefined, labels: undefined };

/**
 * Finds the output that holds one number per class and the names of the classes, from what the file shows:
 * a ZipMap, a classifier operator or a closing Softmax. A model with several such outputs has no one answer.
 * @param graph the graph after ZipMaps were removed.
 */
export function findClasses(graph: OnnxGraph, zipMaps: readonly RemovedZipMap[]): Classes {
  const [zipMap] = zipMaps;
  if (zipMap !== undefined) {
    if (zipMaps.length > 1) return NO_CLASSES;
    return { probabilitiesOutput: zipMap.newOutput, labels: zipMap.labels };
  }
  return onlyOne(classifierOutputs(graph)) ?? onlyOne(softmaxOutputs(graph)) ?? NO_CLASSES;
}

/** Second output of these is `[batch, class]` scores or probabilities. */
const CLASSIFIERS = new Set(["SVMClassifier", "TreeEnsembleClassifier", "LinearClassifier"]);
/** Keep the columns: what comes out still has one column per class. */
const COLUMN_KEEPING = new Set(["Identity", "Cast", "Normalizer", "Softmax"]);

function classifierOutputs(graph: OnnxGraph): Classes[] {
  return graph.nodes.flatMap((node) => {
    const scores = node.outputs[1];
    if (!CLASSIFIERS.has(node.opType) || scores === undefined) return [];
    const output = followToOutput(graph, scores);
    return output === undefined ? [] : [{ probabilitiesOutput: output, labels: readLabels(node) }];
  });
}

function softmaxOutputs(graph: OnnxGraph): Classes[] {
  return graph.nodes.flatMap((node) => {
    const [scores] = node.outputs;
    if (node.opType !== "Softmax" || scores === undefined) return [];
    const output = followToOutput(graph, scores);
    return output === undefined ? [] : [{ probabilitiesOutput: output, labels: undefined }];
  });
}

/** Nodes are in topological order, so one pass finds every step of the way. */
function followToOutput(graph: OnnxGraph, value: string): string | undefined {
  const names = new Set([value]);
  for (const node of graph.nodes) {
    const [input, output] = [node.inputs[0], node.outputs[0]];
    if (input === undefined || output === undefined) continue;
    if (COLUMN_KEEPING.has(node.opType) && names.has(input)) names.add(output);
  }
  return graph.outputs.findLast((output) => names.has(output.name))?.name;
}

function onlyOne(found: readonly Classes[]): Classes | undefined {
  return found.length === 1 ? found[0] : undefined;
}
