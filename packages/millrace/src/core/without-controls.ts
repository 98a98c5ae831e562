// oxlint-disable-next-line no-control-regex -- they are what it is about
const CONTROL_CHARACTERS = /[\u0000-\u001f\u007f-\u009f]/g;

/** A line for a terminal: what somebody sent must not move its cursor, or do worse. */
export function withoutControls(line: string): string {
  return line.replace(CONTROL_CHARACTERS, "·");
}
