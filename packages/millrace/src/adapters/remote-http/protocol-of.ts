import type { RemoteOptions } from "../../ports/step-sources.ts";
import type { Protocol } from "./protocol.ts";
import { JsonProtocol } from "./protocol-json.ts";
import { KserveV1Protocol } from "./protocol-kserve-v1.ts";
import { OipProtocol } from "./protocol-oip.ts";
import { TensorflowProtocol } from "./protocol-tensorflow.ts";
import { cannotLoad, modelPaths, type RemoteAddress } from "./remote-address.ts";

/** @throws MODEL_LOAD_FAILED when model and version are not what the protocol needs. */
export function protocolOf(name: string, address: RemoteAddress, options: RemoteOptions): Protocol {
  const { protocol, model, version } = options;
  if (version !== undefined && (protocol === "kserve-v1" || protocol === "json")) {
    throw cannotLoad(name, `protocol "${protocol}" knows no versions`);
  }
  switch (protocol) {
    case "oip": {
      const form = { root: "v2", verb: "/infer", versionPath: oipVersion } as const;
      return new OipProtocol(modelPaths(name, address, form, { model, version }));
    }
    case "tensorflow": {
      const form = { root: "v1", verb: ":predict", versionPath: tensorflowVersion } as const;
      return new TensorflowProtocol(modelPaths(name, address, form, { model, version }));
    }
    case "kserve-v1": {
      const form = { root: "v1", verb: ":predict", versionPath: oipVersion } as const;
      return new KserveV1Protocol(modelPaths(name, address, form, { model, version }));
    }
    case "json":
      if (model === undefined) return new JsonProtocol(address);
      throw cannotLoad(name, 'protocol "json" knows no models, its address is all there is');
  }
}

function oipVersion(version: string): string {
  return `/versions/${encodeURIComponent(version)}`;
}

/** What is no number there is a label of a version: `stable`, `canary`. */
function tensorflowVersion(version: string): string {
  return `/${/^\d+$/.test(version) ? "versions" : "labels"}/${encodeURIComponent(version)}`;
}
