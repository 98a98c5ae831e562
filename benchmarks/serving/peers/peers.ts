import { bentoml, bentomlUnbatched } from "./bentoml/bentoml.ts";
import { fastapi } from "./fastapi/fastapi.ts";
import { litserve } from "./litserve/litserve.ts";
import { millrace } from "./millrace/millrace.ts";
import { mlserver, mlserverBatching } from "./mlserver/mlserver.ts";
import { mosec } from "./mosec/mosec.ts";
import type { Peer } from "./peer.ts";

/** Everything that is compared, in the order of the report. */
export const PEERS: readonly Peer[] = [
  millrace,
  mosec,
  fastapi,
  mlserver,
  mlserverBatching,
  litserve,
  bentoml,
  bentomlUnbatched,
];
