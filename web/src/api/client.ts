import createClient from "openapi-fetch";
import { endSession, sessionKey } from "../session";
import type { paths } from "./schema";
import { ApiError, isStatus, unreachable } from "./status";
import type { Status } from "./types";

/** Headers that prove a call comes from this page: the cookie alone is not enough. */
function credentials(): Record<string, string> {
  const key = sessionKey();
  return key ? { "X-Atoll-Key": key } : {};
}

/** A session that ended elsewhere ends here too, except while signing in. */
function noticeEnd(response: Response) {
  if (response.status === 401 && !response.url.endsWith("/api/v1/sessions")) endSession("expired");
}

async function call(request: Request): Promise<Response> {
  try {
    const response = await fetch(request);
    noticeEnd(response);
    return response;
  } catch (cause) {
    if (request.signal.aborted) throw cause;
    throw new ApiError(unreachable(), { cause });
  }
}

export const client = createClient<paths>({ baseUrl: location.origin, fetch: call });
client.use({
  onRequest({ request }) {
    for (const [name, value] of Object.entries(credentials())) request.headers.set(name, value);
  },
});

interface Outcome<T> {
  data?: T;
  error?: unknown;
  response: Response;
}

/** The answer's data, or an ApiError that carries its Status. */
export async function answer<T>(pending: Promise<Outcome<T>>): Promise<T> {
  const { data, error, response } = await pending;
  if (!response.ok) throw new ApiError(toStatus(error, response));
  return data as T;
}

function toStatus(body: unknown, response: Response): Status {
  if (isStatus(body)) return body;
  const message = typeof body === "string" ? body.slice(0, 2000) : response.statusText;
  return { kind: "Status", code: response.status, message };
}

type Posted<P extends keyof paths> = paths[P] extends {
  post: { requestBody: { content: { "application/json": infer Body } } };
}
  ? Body
  : never;

/** A call whose answer is not one JSON document: text, or lines that arrive one after another. */
export async function send<P extends keyof paths>(
  path: P,
  body: Posted<P>,
  accept: string,
  signal?: AbortSignal,
): Promise<Response> {
  const request = new Request(new URL(path, location.origin), {
    method: "POST",
    headers: { ...credentials(), "Content-Type": "application/json", Accept: accept },
    body: JSON.stringify(body),
    signal: signal ?? null,
  });
  const response = await call(request);
  if (response.ok) return response;
  const text = await response.text();
  let parsed: unknown = text;
  try {
    parsed = JSON.parse(text);
  } catch {
    // Not JSON, so not ours: shown as it came.
  }
  throw new ApiError(toStatus(parsed, response));
}
