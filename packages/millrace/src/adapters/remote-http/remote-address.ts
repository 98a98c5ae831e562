import { MillraceError } from "../../core/errors.ts";

/** The server of a remote step, from the configuration and from nowhere else. */
export interface RemoteAddress {
  readonly isTls: boolean;
  /** Without the brackets of an IPv6 address. */
  readonly hostname: string;
  /** With the port where the address has one: `10.0.0.7:8501`. */
  readonly host: string;
  /** Undefined takes that of the scheme. */
  readonly port: string | undefined;
  /** As written, without a slash at its end. */
  readonly path: string;
  /** With its "?"; empty when there is none. It may hold a key, so it is never printed. */
  readonly search: string;
  /** For messages: without what may be secret. */
  readonly text: string;
}

/** @throws MODEL_LOAD_FAILED when it is no http or https address, or holds a user name. */
export function readAddress(remote: string, url: string): RemoteAddress {
  const parsed = URL.parse(url);
  if (parsed === null || !["http:", "https:"].includes(parsed.protocol)) {
    throw cannotLoad(remote, "its address is none, expected http://… or https://…");
  }
  const { protocol, host, hostname, port, pathname, search } = parsed;
  if (parsed.username !== "" || parsed.password !== "") {
    throw cannotLoad(remote, "its address holds a user name, expected it in headers.authorization");
  }
  return {
    isTls: protocol === "https:",
    host,
    hostname: hostname.replace(/^\[(.*)\]$/, "$1"),
    port: port === "" ? undefined : port,
    path: pathname.replace(/\/+$/, ""),
    search,
    text: `${protocol}//${host}${pathname}`,
  };
}

export interface ModelPaths {
  /** `/v2` */
  readonly server: string;
  /** `/v2/models/iris/versions/3` */
  readonly model: string;
}

export interface PathForm {
  /** First segment of the protocol: `v2`. */
  readonly root: "v1" | "v2";
  /** What may stand behind the model, and is taken off. */
  readonly verb: "/infer" | ":predict";
  /** How a version is written behind the model. */
  readonly versionPath: (version: string) => string;
}

/**
 * Paths of a model of a protocol that names it there: the address is the server, or it goes all the way to the model.
 * @throws MODEL_LOAD_FAILED when nobody names the model, or both do.
 */
export function modelPaths(
  remote: string,
  { path }: RemoteAddress,
  form: PathForm,
  { model, version }: { readonly model: string | undefined; readonly version: string | undefined },
): ModelPaths {
  const { root, verb, versionPath } = form;
  const bare = path.endsWith(verb) ? path.slice(0, -verb.length) : path;
  const at = bare.indexOf(`/${root}/models/`);
  if (at === -1) {
    if (model === undefined) {
      const expected = `"model", or an address that ends in /${root}/models/<name>`;
      throw cannotLoad(remote, `nothing names the model there, expected ${expected}`);
    }
    const base = bare.endsWith(`/${root}`) ? bare : `${bare}/${root}`;
    return pathsOf(base, `${base}/models/${encodeURIComponent(model)}`, version, versionPath);
  }
  if (model !== undefined) {
    throw cannotLoad(remote, `both its address and "model" name the model, expected one of them`);
  }
  const server = bare.slice(0, at + root.length + 1);
  if (version !== undefined && bare.slice(server.length).split("/").length > 3) {
    throw cannotLoad(remote, `both its address and "version" name the version, expected one`);
  }
  return pathsOf(server, bare, version, versionPath);
}

function pathsOf(
  server: string,
  model: string,
  version: string | undefined,
  versionPath: (version: string) => string,
): ModelPaths {
  return { server, model: version === undefined ? model : `${model}${versionPath(version)}` };
}

/** MODEL_LOAD_FAILED; `state` says what is wrong. */
export function cannotLoad(remote: string, state: string, cause?: unknown): MillraceError {
  const options = cause === undefined ? {} : { cause };
  return new MillraceError(
    "MODEL_LOAD_FAILED",
    `Cannot load remote "${remote}": ${state}`,
    options,
  );
}
