import { join } from "node:path";
import { loadSync } from "@grpc/proto-loader";
import { expect, test } from "vitest";
import { INFERENCE_SERVICE } from "./inference-service.ts";
import { fileDescriptor } from "./file-descriptor.ts";
