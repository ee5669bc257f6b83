// Requests to the admin interface, typed by its OpenAPI document. Addresses are relative to the page, so that a reverse
// proxy may serve pldns under a path. Does not know what a view does with a response.

import type { paths } from "./schema";

type Json<Operation> = Operation extends { responses: infer Responses }
  ? {
      [Status in keyof Responses]: Status extends 200 | 201 | 202
        ? Responses[Status] extends { content: { "application/json": infer Body } }
          ? Body
          : never
        : never;
    }[keyof Responses]
  : never;
type Operation<Path extends keyof paths, Method extends "get" | "post"> = NonNullable<paths[Path][Method]>;
export type Reply<Path extends keyof paths, Method extends "get" | "post" = "get"> = Json<
  Operation<Path, Method>
>;
export type Query<Path extends keyof paths> =
  Operation<Path, "get"> extends { parameters: { query?: infer Given } }
    ? [NonNullable<Given>] extends [never]
      ? Record<string, never>
      : NonNullable<Given>
    : Record<string, never>;
type Body<Path extends keyof paths> =
  Operation<Path, "post"> extends {
    requestBody: { content: { "application/json": infer Sent } };
  }
    ? Sent
    : never;
/** Values of the parts of a path in braces. */
export type Parts = Readonly<Record<string, string>>;
type Values = Readonly<Record<string, string | number | boolean | readonly string[] | null | undefined>>;

/** The address of the top of pldns: the page is one level below it. */
export const top = new URL("../", location.href);

/** An error of the admin interface (RFC 9457), or of the way to it: then `status` is 0. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly nearest: readonly string[] = [],
    /** Seconds after which pldns wants to be asked again; empty where it does not say. */
    readonly after = "",
  ) {
    super(message);
  }
}

const UNREACHABLE = new ApiError(0, "unreachable", "pldns does not answer.");
/** Milliseconds to wait for the beginning of a stream. */
const PATIENCE = 10_000;

let endSession = (): void => undefined;

/** Call a function each time that pldns refuses a request because it proves no identity. */
export function whenSignedOut(call: () => void): void {
  endSession = call;
}

/** Return the address of a path of the admin interface. */
export function address(path: string, parts: Parts = {}, query: Values = {}): URL {
  const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(parts[name] ?? ""));
  const url = new URL(filled.replace(/^\//, ""), top);
  for (const [name, value] of Object.entries(query)) {
    if (value === undefined || value === null || value === "") continue;
    for (const each of Array.isArray(value) ? (value as readonly string[]) : [value]) {
      url.searchParams.append(name, String(each));
    }
  }
  return url;
}

/** Read a resource. Throws `ApiError`. */
export async function get<Path extends keyof paths>(
  path: Path,
  query: Query<Path> = {} as Query<Path>,
  options: { parts?: Parts; signal?: AbortSignal } = {},
): Promise<Reply<Path>> {
  const url = address(path, options.parts, query);
  return (await request(url, options.signal ? { signal: options.signal } : {})) as Reply<Path>;
}

/** Change something. Throws `ApiError`. */
export async function post<Path extends keyof paths>(
  path: Path,
  body: Body<Path>,
  parts: Parts = {},
): Promise<Reply<Path, "post">> {
  // The server refuses a change with the cookie of a session but without this header: another site cannot send it.
  const headers = { "Content-Type": "application/json", "Pldns-Page": "1" };
  const sent = { method: "POST", headers, body: JSON.stringify(body) };
  return (await request(address(path, parts), sent)) as Reply<Path, "post">;
}

/** Return why pldns refuses a stream of events; `undefined` where it does not. An `EventSource` does not say. */
export async function refusal(url: URL): Promise<ApiError | undefined> {
  const abort = new AbortController();
  const timer = setTimeout(() => {
    abort.abort();
  }, PATIENCE);
  try {
    const response = await fetch(url, { credentials: "same-origin", signal: abort.signal });
    return response.ok ? undefined : await problem(response);
  } catch {
    return UNREACHABLE;
  } finally {
    clearTimeout(timer);
    abort.abort(); // the stream, if it was opened
  }
}

async function request(url: URL, options: RequestInit): Promise<unknown> {
  let response: Response;
  try {
    response = await fetch(url, { credentials: "same-origin", redirect: "error", ...options });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw UNREACHABLE;
  }
  if (!response.ok) throw await problem(response);
  const read: unknown = await response.json().catch(() => undefined);
  if (read === undefined) throw notOfPldns(response);
  return read;
}

async function problem(response: Response): Promise<ApiError> {
  if (response.status === 401) endSession();
  const read: unknown = await response.json().catch(() => undefined);
  const found = (typeof read === "object" && read !== null ? read : {}) as Partial<{
    type: string;
    title: string;
    detail: string;
    nearest: string[];
  }>;
  const code = found.type?.split(":").pop() ?? "";
  const text = found.detail ?? found.title;
  return text === undefined
    ? notOfPldns(response)
    : new ApiError(response.status, code, text, found.nearest, response.headers.get("Retry-After") ?? "");
}

function notOfPldns(response: Response): ApiError {
  return new ApiError(response.status, "", `the answer is not of pldns (HTTP status ${response.status})`);
}
