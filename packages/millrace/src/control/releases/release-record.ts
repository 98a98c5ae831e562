import { MillraceError } from "../../core/errors.ts";
import type { JsonValue } from "../../core/json.ts";
import type { ReleaseEvent } from "../../core/release/release-report.ts";
import type { ReleaseStore } from "../../ports/release-store.ts";

/** Form of the states that are written now; one of another form is begun anew. */
const FORM = 1;

/** The state of one release: as it is kept, and nobody else's write is lost. */
export class ReleaseRecord<State extends object> {
  readonly key: string;
  readonly #store: ReleaseStore;
  #version = 0;
  #state: State | undefined;

  constructor(key: string, store: ReleaseStore) {
    this.key = key;
    this.#store = store;
  }

  /**
   * As it is kept now: two control processes on one folder must not undo each other's work by what they remember.
   * Undefined where nothing is kept.
   */
  async read(): Promise<State | undefined> {
    const kept = await this.#store.read(this.key);
    if (kept !== undefined && kept.version > this.#version) {
      const { form, state } = kept.state as { readonly form: number; readonly state: State };
      this.#version = kept.version;
      this.#state = form === FORM ? state : undefined;
    }
    return this.#state;
  }

  /** Call `read` before. @throws OVERRIDE_CONFLICT when another process wrote meanwhile; `read` gives that then. */
  async write(state: State, events: readonly ReleaseEvent[]): Promise<void> {
    const json = JSON.parse(JSON.stringify({ form: FORM, state })) as JsonValue;
    const { key } = this;
    const kept = await this.#store.write({ key, state: json }, this.#version, events);
    if (kept === undefined) {
      throw new MillraceError(
        "OVERRIDE_CONFLICT",
        `Cannot change ${key}: another process has changed it in this state.dir`,
      );
    }
    this.#version = kept.version;
    this.#state = state;
  }

  events(limit: number): Promise<readonly ReleaseEvent[]> {
    return this.#store.events(this.key, limit);
  }
}
