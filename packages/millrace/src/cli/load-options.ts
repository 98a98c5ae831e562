import { CONFIG_OPTION } from "./config-session.ts";

/** Options of `millrace load`. Those that vegeta has too mean what they mean there. */
export const LOAD_OPTIONS = {
  "rate=500": "requests a second, or 30000/1m; 0 is as many as --max-workers get; default 50",
  "duration=60s": "time that is measured; 0 is until Ctrl-C; default 10s",
  "warmup=1s": "time before it, which is counted nowhere; default 1s",
  "arrivals=poisson":
    "constant, poisson (independent callers), closed (--clients) or replay (the log)",
  "profile=ramp:1000":
    "how the rate changes: ramp:1000, step:200@10s,400@20s, sine:300/1m, spike:2000@20s+5s",
  "clients=16": "callers of --arrivals closed, each waits for its answer; default 1",
  "think=100ms": "how long such a caller waits after an answer; default 0",
  "since=1h": "requests of the log to replay: how long ago they begin, or when; default 1h",
  "until=TIME": "when they end, likewise; default: now",
  "speed=1": "pace of the replay: 2 is twice as fast; default 1",
  "slo=p99<50ms": "what must hold: p99<50ms,errors<0.1%; ends with 1 where it does not",
  "find-capacity": "searches the highest rate at which --slo holds",
  precise: "searches to 2 % instead of 5 %",
  apply: "sets the limits that were found on the service",
  "protocol=grpc": "http or grpc; default http",
  "url=URL": "Millrace that has the service; default: the one that runs in this folder",
  "grpc-url=URL": "its gRPC address; default: that of the one in this folder, else port 8001",
  "targets=FILE": "requests to send, in vegeta's formats; - reads a pipe",
  "format=json": "of the targets: http or json; default http",
  "method=PUT": "of a URL; default GET, with a body POST",
  "header=NAME: VALUE": "of every request; may be given several times",
  "body=FILE":
    "body of every request, a picture too; {{row}}, {{rows}}, {{count}}, {{row.NAME}}, {{seq}}, {{uuid}} are filled in",
  "data=FILE": "rows for {{row}}: .csv, .jsonl or .parquet; a service needs no --body then",
  "data-order=random": "in-turn or random; default in-turn",
  "batch=1-32": "rows of {{rows}}, drawn; 1:90,8-32:10 draws 8 to 32 one time in ten; default 1",
  "seed=1": "decides what is drawn; default 1",
  "timeout=30s": "longest wait for an answer; default 30s",
  "workers=10": "connections opened before the start; default 10",
  "connections=N": "connections kept while they wait for work; default 10000",
  "max-connections=N":
    "connections at most: a request beyond is dropped, and counted; default 10000",
  "max-workers=N": "the same",
  "keepalive[=false]": "keeps connections for the next request; default true",
  "http2[=false]": "uses HTTP/2 where an https server has it; default true",
  h2c: "uses HTTP/2 without TLS",
  "threads=N": "threads that send; default: one for each 5,000 requests a second",
  insecure: "does not check the server's certificate",
  "root-certs=FILE": "certificates to trust, comma between files",
  "cert=FILE": "own certificate",
  "key=FILE": "its private key; default: in the file of --cert",
  "laddr=ADDRESS": "own address to send from",
  "unix-socket=PATH": "socket that all requests go to",
  "name=NAME": "name of the test in reports",
  "json=FILE": "writes the report as JSON; - prints it",
  "html=FILE": "writes it as a page that needs no network",
  "junit=FILE": "writes the objectives as JUnit XML",
  "output=FILE": "writes every result: .csv or, line by line, .json; - prints them",
  quiet: "shows nothing while it runs",
  ...CONFIG_OPTION,
} as const;

/** Flags of vegeta that mean nothing here, and short ones of wrk and its like: why, and what to do. */
const REFUSED: Readonly<Record<string, string>> = {
  c: "say --clients for callers that wait, or --max-connections",
  chunked: "bodies are sent with their length",
  "connect-to": "write the address into the URL, and --header 'host: NAME'",
  d: "say --duration",
  "dns-ttl": "a name is looked up when a connection is opened, by the system",
  H: "say --header",
  lazy: "targets are read before the start, so that reading them delays no request",
  "max-body": "bodies of answers are read whole and not kept; leave it away",
  n: "say --duration: requests come at a rate, not in a number",
  "prometheus-addr": "a running Millrace has /metrics of its own, and --json the figures",
  "proxy-header": "there is no proxy; ask the server itself",
  redirects: "a redirect is not followed and counts as a success, as with vegeta's -redirects=-1",
  resolvers: "names are looked up by the system; write the address into the URL",
  "session-tickets": "connections are kept, so sessions need not be resumed",
  t: "say --threads",
};

/** @returns why a flag that is no option is refused; undefined where it is unknown. */
export function whyRefused(flag: string): string | undefined {
  const name = flag.replace(/^--/, "").replace(/=.*$/s, "");
  if (!Object.hasOwn(REFUSED, name)) return undefined;
  return `--${name} is not supported: ${REFUSED[name] ?? ""}`;
}
