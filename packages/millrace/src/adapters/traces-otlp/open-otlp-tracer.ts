import { MillraceError } from "../../core/errors.ts";
import type { Tracer } from "../../ports/tracer.ts";
import type { OtlpTracerOptions } from "./otlp-tracer.ts";

type OtlpTracerModule = typeof import("./otlp-tracer.ts");

const PACKAGES = [
  "@opentelemetry/api@1",
  "@opentelemetry/sdk-trace@3",
  "@opentelemetry/resources@3",
  "@opentelemetry/exporter-trace-otlp-http@0.301",
];

/**
 * Loads the packages of OpenTelemetry, which are installed only where traces are wanted.
 * @throws NOT_IMPLEMENTED when one of them is not.
 */
export async function openOtlpTracer(
  options: OtlpTracerOptions,
  importModule: () => Promise<OtlpTracerModule> = () => import("./otlp-tracer.ts"),
): Promise<Tracer> {
  try {
    const { OtlpTracer } = await importModule();
    return new OtlpTracer(options);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "ERR_MODULE_NOT_FOUND") throw cause;
    throw new MillraceError(
      "NOT_IMPLEMENTED",
      `Cannot send traces: packages of OpenTelemetry are not installed, run "npm install ${PACKAGES.join(" ")}"`,
      { cause },
    );
  }
}
