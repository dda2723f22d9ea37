// Runs a Node.js handler under Garoa: polls the Lambda Runtime API and calls the handler.
//
// Async handlers, promises and callbacks; ECMAScript modules and CommonJS. A message of several lines begins with a record
// separator (0x1e), and has others for its line breaks, so that it stays one event of the log.

import fs from "node:fs";
import http from "node:http";
import https from "node:https";
import { syncBuiltinESMExports } from "node:module";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { format } from "node:util";

const JOINT = "\x1e";
const api = new URL(`http://${process.env.AWS_LAMBDA_RUNTIME_API}/2018-06-01/runtime`);
const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
let requestId = "";

/** An error that is Lambda's rather than the handler's. */
class Refused extends Error {
  constructor(kind, message) {
    super(message);
    this.name = kind;
  }
}

/** One call of the Runtime API. */
function call(method, where, body, headers = {}) {
  return new Promise((resolve) => {
    const length = body === undefined ? {} : { "Content-Length": Buffer.byteLength(body) };
    const options = { agent, method, headers: { ...headers, ...length }, timeout: 0 };
    const request = http.request(`${api}${where}`, options, (answer) => {
      const parts = [];
      answer.on("data", (part) => parts.push(part));
      answer.on("end", () => {
        if (answer.statusCode === 410) process.exit(0);
        resolve({ headers: answer.headers, body: Buffer.concat(parts).toString("utf8") });
      });
      answer.on("error", gone);
    });
    request.on("error", gone);
    request.end(body);
  });
}

/** The server is gone, and with it whatever could be done here. */
function gone() {
  process.exit(1);
}

function fail(where, document) {
  return call("POST", where, JSON.stringify(document), {
    "Content-Type": "application/vnd.aws.lambda.error+json",
    "Lambda-Runtime-Function-Error-Type": document.errorType,
  });
}

/**
 * CloudFormation awaits the answers of custom resources at addresses of https, as much code takes for granted that names but
 * their host and path: the CDK's, and AWS's examples. Here these addresses are the server's own, of http.
 */
const AWAITED = /^\/cloudformation-(custom-resource-response|waitcondition)-/;
const server = process.env.AWS_ENDPOINT_URL && new URL(process.env.AWS_ENDPOINT_URL);
const isAwaited = (host, path) => server?.protocol === "http:" && host === server.hostname && AWAITED.test(path ?? "");
const secure = { request: https.request, get: https.get };
for (const name of ["request", "get"]) {
  https[name] = function (...words) {
    const [first, second] = words;
    if (typeof first === "string" || first instanceof URL) {
      const url = URL.canParse(first) ? new URL(first) : undefined;
      if (url && isAwaited(url.hostname, url.pathname)) {
        const options = typeof second === "object" ? { ...second, agent: undefined } : {};
        const next = words.slice(typeof second === "object" ? 2 : 1);
        return http[name](new URL(url.pathname + url.search, server), options, ...next);
      }
    } else if (first && isAwaited(first.hostname ?? first.host, first.path)) {
      return http[name]({ ...first, protocol: "http:", port: server.port, agent: undefined }, ...words.slice(1));
    }
    return secure[name].apply(this, words);
  };
}
syncBuiltinESMExports();

/** Writes one message, of however many lines. Synchronously: it is in the log before the answer is. */
function write(message) {
  const bytes = Buffer.from(`${JOINT}${message.replaceAll("\n", JOINT)}\n`);
  for (let at = 0; at < bytes.length; ) {
    try {
      at += fs.writeSync(1, bytes, at);
    } catch (error) {
      if (error.code !== "EAGAIN") return;
    }
  }
}

const isJson = process.env.AWS_LAMBDA_LOG_FORMAT === "JSON";
const ORDER = ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"];
const least = isJson ? ORDER.indexOf(process.env.AWS_LAMBDA_LOG_LEVEL ?? "INFO") : 0;

/** One object, as AWS's runtime writes it where `LogFormat` is `JSON`. */
function logJson(level, words) {
  const [first] = words;
  const message = words.length === 1 && typeof first === "object" && !(first instanceof Error) ? first : format(...words);
  const error = words.find((word) => word instanceof Error);
  const told = error && { errorType: error.name, errorMessage: error.message, stackTrace: String(error.stack).split("\n") };
  write(JSON.stringify({ timestamp: new Date().toISOString(), level, requestId: requestId || "undefined", message, ...told }));
}

function log(level, ...words) {
  if (ORDER.indexOf(level) < least) return;
  if (isJson) return logJson(level, words);
  write(`${new Date().toISOString()}\t${requestId || "undefined"}\t${level}\t${format(...words)}`);
}

const LEVELS = { debug: "DEBUG", error: "ERROR", fatal: "FATAL", info: "INFO", log: "INFO", trace: "TRACE", warn: "WARN" };
for (const [name, level] of Object.entries(LEVELS)) console[name] = (...words) => log(level, ...words);

/** Whatever was thrown, as AWS's error document. */
function describe(error) {
  if (error instanceof Error || (error && error.name && error.message !== undefined && error.stack)) {
    // The function's files are told of as where they are at AWS.
    const stack = String(error.stack).replaceAll(process.env.LAMBDA_TASK_ROOT, "/var/task");
    return { errorType: error.name, errorMessage: error.message, trace: stack.split("\n") };
  }
  return { errorType: typeof error, errorMessage: String(error), trace: [] };
}

function logError(what, error) {
  const { errorType, errorMessage, trace } = describe(error);
  const document = { errorType, errorMessage };
  for (const key of Object.keys(error ?? {})) if (error instanceof Error) document[key] = error[key];
  log("ERROR", `${what} \t${JSON.stringify({ ...document, stack: trace })}`);
}

/** The handler's function: `folder/file.name`, where the name may have dots. */
async function load(handler) {
  const root = process.env.LAMBDA_TASK_ROOT;
  const base = path.basename(handler);
  const [, name, member] = /^([^.]*)\.(.+)$/.exec(base) ?? [];
  if (name === undefined || handler.includes("..")) throw new Refused("Runtime.MalformedHandlerName", "Bad handler");
  const file = path.join(root, handler.slice(0, handler.length - base.length), name);
  const found = ["", ".js", ".mjs", ".cjs"].map((end) => file + end).find((file) => fs.statSync(file, { throwIfNoEntry: false })?.isFile());
  if (found === undefined) {
    const modulePath = path.relative(root, file);
    throw new Refused("Runtime.ImportModuleError", `Error: Cannot find module '${modulePath}'`);
  }
  let loaded;
  try {
    loaded = await import(pathToFileURL(found).href);
  } catch (error) {
    if (error instanceof SyntaxError) throw Object.assign(error, { name: "Runtime.UserCodeSyntaxError", message: `SyntaxError: ${error.message}` });
    if (["MODULE_NOT_FOUND", "ERR_MODULE_NOT_FOUND"].includes(error?.code)) {
      throw Object.assign(error, { name: "Runtime.ImportModuleError", message: `Error: ${error.message}` });
    }
    throw error;
  }
  // What CommonJS exports is the default export.
  const pick = (from) => member.split(".").reduce((value, key) => value?.[key], from);
  const picked = pick(loaded) ?? pick(loaded.default);
  if (picked === undefined) throw new Refused("Runtime.HandlerNotFound", `${handler} is undefined or not exported`);
  if (typeof picked !== "function") throw new Refused("Runtime.HandlerNotFound", `${handler} is not a function`);
  return picked;
}

/** Calls the handler, and gives its answer however it comes. */
function run(handler, event, headers) {
  return new Promise((resolve, reject) => {
    const context = {
      callbackWaitsForEmptyEventLoop: true,
      functionName: process.env.AWS_LAMBDA_FUNCTION_NAME,
      functionVersion: process.env.AWS_LAMBDA_FUNCTION_VERSION,
      memoryLimitInMB: process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
      logGroupName: process.env.AWS_LAMBDA_LOG_GROUP_NAME,
      logStreamName: process.env.AWS_LAMBDA_LOG_STREAM_NAME,
      invokedFunctionArn: headers["lambda-runtime-invoked-function-arn"],
      awsRequestId: requestId,
      clientContext: headers["lambda-runtime-client-context"] && JSON.parse(headers["lambda-runtime-client-context"]),
      identity: undefined,
      getRemainingTimeInMillis: () => Math.max(Number(headers["lambda-runtime-deadline-ms"]) - Date.now(), 0),
    };
    const settle = (error, value) => (error === null || error === undefined ? resolve(value) : reject(error));
    // When nothing is left to do, there will be no other answer than the one that was given, if any.
    let given = [null, null];
    const idle = () => settle(...given);
    process.once("beforeExit", idle);
    const callback = (error, value) => {
      given = [error, value];
      if (!context.callbackWaitsForEmptyEventLoop) settle(...given);
    };
    context.done = callback;
    context.succeed = (value) => settle(null, value);
    context.fail = (error) => settle(error ?? "undefined");
    const finish = (settled) => (value) => {
      process.removeListener("beforeExit", idle);
      settled(value);
    };
    [resolve, reject] = [finish(resolve), finish(reject)];
    try {
      const answer = handler(JSON.parse(event), context, callback);
      if (typeof answer?.then === "function") answer.then(resolve, reject);
    } catch (error) {
      reject(error);
    }
  });
}

function marshal(value) {
  try {
    return JSON.stringify(value === undefined ? null : value) ?? "null";
  } catch (error) {
    throw new Refused("Runtime.MarshalError", `Unable to stringify response body: ${error.message}`);
  }
}

/** What nobody caught ends the process, after it was told. */
function last(kind) {
  return async (error) => {
    const document = describe(error);
    if (kind) document.errorType = kind;
    if (kind) document.errorMessage = document.trace[0] ?? document.errorMessage;
    logError(kind ? "Unhandled Promise Rejection" : "Uncaught Exception", Object.assign(new Error(document.errorMessage), { name: document.errorType }));
    await fail(requestId ? `/invocation/${requestId}/error` : "/init/error", document);
    process.exit(kind ? 128 : 129);
  };
}
process.on("uncaughtException", last());
process.on("unhandledRejection", last("Runtime.UnhandledPromiseRejection"));

let handler;
try {
  handler = await load(process.env._HANDLER);
} catch (error) {
  logError("Uncaught Exception", error);
  await fail("/init/error", describe(error));
  process.exit(1);
}
for (;;) {
  const { headers, body } = await call("GET", "/invocation/next");
  requestId = headers["lambda-runtime-aws-request-id"];
  process.env._X_AMZN_TRACE_ID = headers["lambda-runtime-trace-id"] ?? "";
  try {
    const answer = marshal(await run(handler, body, headers));
    await call("POST", `/invocation/${requestId}/response`, answer, { "Content-Type": "application/json" });
  } catch (error) {
    logError("Invoke Error", error);
    await fail(`/invocation/${requestId}/error`, describe(error));
  }
}
