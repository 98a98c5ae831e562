/** The place of a request in a trace that goes through several programs: W3C Trace Context. */
export interface TraceContext {
  /** 32 hexadecimal digits, not all zero. */
  readonly traceId: string;
  /** 16 hexadecimal digits, not all zero: the span that whatever begins next is a part of. */
  readonly spanId: string;
  /** Do those before us record the trace? */
  readonly isSampled: boolean;
  /** Is the trace's id random, as who made it says? Only passed on. */
  readonly isRandom: boolean;
  /** What others wrote into `tracestate`, passed on as it came; undefined when there is nothing. */
  readonly state: string | undefined;
  /**
   * Does this process make spans of the request? `spanId` is then that of its own span, and the ids of its steps follow
   * from it; else it is that of whoever sent the request.
   */
  readonly isRecorded: boolean;
}

/** `00-<trace id>-<span id>-<flags>` */
const PARENT_LENGTH = 55;

/** Longest `tracestate` that is passed on; one as long as this must be, by the standard. */
export const STATE_LENGTH_MAX = 512;

const SAMPLED = 1;
const RANDOM = 2;

/**
 * Reads the headers `traceparent` and `tracestate` of https://www.w3.org/TR/trace-context-2/.
 * @returns undefined when there is none or it is not valid: a trace begins anew then.
 */
export function parseTraceContext(
  parent: string | undefined,
  state: string | undefined,
): TraceContext | undefined {
  if (parent === undefined || !hasForm(parent)) return undefined;
  const traceId = parent.slice(3, 35);
  const spanId = parent.slice(36, 52);
  if (isZero(traceId) || isZero(spanId)) return undefined;
  const flags = Number.parseInt(parent.slice(53, 55), 16);
  return {
    traceId,
    spanId,
    isSampled: (flags & SAMPLED) !== 0,
    isRandom: (flags & RANDOM) !== 0,
    state: state !== undefined && isSendable(state) ? state : undefined,
    isRecorded: false,
  };
}

/** @returns the header `traceparent`, in the version that everybody reads. */
export function formatTraceParent(context: TraceContext): string {
  const { traceId, spanId, isSampled, isRandom } = context;
  const flags = (isSampled ? SAMPLED : 0) | (isRandom ? RANDOM : 0);
  return `00-${traceId}-${spanId}-0${flags}`;
}

/** A later version may go on behind the flags, after another dash; version ff is none. */
function hasForm(text: string): boolean {
  if (text.length < PARENT_LENGTH || !areHexDigits(text, 0, 2)) return false;
  const version = text.slice(0, 2);
  if (version === "ff") return false;
  if (text.length > PARENT_LENGTH && (version === "00" || text[PARENT_LENGTH] !== "-")) {
    return false;
  }
  return (
    text[2] === "-" &&
    areHexDigits(text, 3, 35) &&
    text[35] === "-" &&
    areHexDigits(text, 36, 52) &&
    text[52] === "-" &&
    areHexDigits(text, 53, 55)
  );
}

/** Lower case only: the standard calls anything else invalid. */
function areHexDigits(text: string, start: number, end: number): boolean {
  for (let at = start; at < end; at++) {
    const code = text.charCodeAt(at);
    const isDigit = code >= ZERO && code <= NINE;
    if (!isDigit && !(code >= LETTER_A && code <= LETTER_F)) return false;
  }
  return true;
}

function isZero(digits: string): boolean {
  for (let at = 0; at < digits.length; at++) if (digits.charCodeAt(at) !== ZERO) return false;
  return true;
}

/** Printable ASCII; its members are their makers' to read. */
function isSendable(state: string): boolean {
  if (state.length === 0 || state.length > STATE_LENGTH_MAX) return false;
  for (let at = 0; at < state.length; at++) {
    const code = state.charCodeAt(at);
    if (code < SPACE || code > TILDE) return false;
  }
  return true;
}

const SPACE = 0x20;
const ZERO = 0x30;
const NINE = 0x39;
const LETTER_A = 0x61;
const LETTER_F = 0x66;
const TILDE = 0x7e;
