import type { ControlOrder, ControlReport, PersistOrder } from "../control/control-messages.ts";
import type { OverrideState } from "../ports/override-store.ts";
import { ForkedProcess } from "./forked-process.ts";

/** The control process as the supervisor sees it. */
export class ControlProcess extends ForkedProcess {
  start(order: ControlOrder): Promise<ControlReport> {
    return this.call("start", order);
  }

  /** Every process can make the change: keeps it for good. @throws when it cannot; then nobody makes it. */
  persist(order: PersistOrder): Promise<void> {
    return this.call("persist", order);
  }

  /** What it keeps and holds to be in force. */
  kept(): Promise<OverrideState> {
    return this.call("kept", {});
  }

  stop(): void {
    this.call("stop", {}).catch(() => undefined); // it may end before it answers
  }
}
