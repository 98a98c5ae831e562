import type { OverrideEvent, StoredOverride } from "../ports/override-store.ts";

/** An override as the interface shows it. */
export function overrideJson(override: StoredOverride): object {
  const { path, value, version, by, reason, setAtMs, expiresAtMs } = override;
  return {
    path,
    value,
    version,
    by,
    reason,
    set_at: isoTime(setAtMs),
    expires_at: expiresAtMs === undefined ? null : isoTime(expiresAtMs),
  };
}

/** An event of the history; `new` is null where the file's value is in force again. */
export function eventJson(event: OverrideEvent): object {
  const { version, path, action, atMs, by, reason, old, value, expiresAtMs } = event;
  return {
    version,
    path,
    action,
    at: isoTime(atMs),
    by,
    reason,
    old: old ?? null,
    new: value ?? null,
    expires_at: expiresAtMs === undefined ? null : isoTime(expiresAtMs),
  };
}

export function isoTime(wallMs: number): string {
  return new Date(wallMs).toISOString();
}
