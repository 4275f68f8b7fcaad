import { beforeEach, describe, expect, it, vi } from "vitest";
import type { ApiError } from "./status";

const json = (status: number, body: unknown) => Response.json(body, { status });

/** The client on a page that is signed in, with a network that answers what the test says. */
async function page(answers: (request: Request) => Response | Promise<Response>) {
  const requests: Request[] = [];
  vi.stubGlobal("location", { origin: "https://hub.test" });
  vi.stubGlobal("localStorage", { getItem: () => "the-key", setItem: () => undefined, removeItem: () => undefined });
  vi.stubGlobal("addEventListener", () => undefined);
  vi.stubGlobal("fetch", async (request: Request) => {
    requests.push(request);
    const response = await answers(request);
    Object.defineProperty(response, "url", { value: request.url });
    return response;
  });
  const session = await import("../session");
  const api = await import("./client");
  return { ...api, session, requests };
}

async function failure(pending: Promise<unknown>): Promise<ApiError> {
  return pending.then(
    () => expect.unreachable("the call was to fail"),
    (error) => error,
  );
}

beforeEach(() => {
  vi.resetModules();
  vi.unstubAllGlobals();
});

describe("a call of the console API", () => {
  it("proves that it comes from this page", async () => {
    const { client, answer, send, requests } = await page(() => json(200, { items: [] }));
    await answer(client.GET("/api/v1/tokens"));
    await send("/api/v1/kubeconfigs", {}, "application/yaml");
    expect(requests.map((request) => request.headers.get("X-Atoll-Key"))).toEqual(["the-key", "the-key"]);
  });

  it("that is refused carries the Status, stage and hint included", async () => {
    const status = { kind: "Status", code: 422, reason: "Invalid", details: { stage: "tls", hint: "Renew it." } };
    const { client, answer } = await page(() => json(422, status));
    expect((await failure(answer(client.GET("/api/v1/me")))).status).toEqual(status);
  });

  it("that is answered by something else than the hub shows what came", async () => {
    const html = () => new Response("<h1>Bad gateway</h1>", { status: 502 });
    const { client, answer, send } = await page(html);
    const expected = { kind: "Status", code: 502, message: "<h1>Bad gateway</h1>" };
    expect((await failure(answer(client.GET("/api/v1/me")))).status).toEqual(expected);
    expect((await failure(send("/api/v1/kubeconfigs", {}, "application/yaml"))).status).toEqual(expected);
  });

  it("that gets no answer says so", async () => {
    const { client, answer } = await page(() => Promise.reject(new TypeError("Failed to fetch")));
    expect((await failure(answer(client.GET("/api/v1/me")))).status).toMatchObject({ reason: "Unreachable", code: 0 });
  });

  it("that was given up is no failure of the hub", async () => {
    const { client } = await page((request) => Promise.reject(request.signal.reason));
    const error = await failure(client.GET("/api/v1/me", { signal: AbortSignal.abort() }));
    expect(error.name).toBe("AbortError");
  });
});

describe("a 401", () => {
  const refuse = () => json(401, { kind: "Status", code: 401, reason: "Unauthorized" });

  it("ends the session of this page", async () => {
    const { client, answer, session } = await page(refuse);
    await failure(answer(client.GET("/api/v1/me")));
    expect(session.sessionKey()).toBeNull();
    expect(session.sessionEnd()).toBe("expired");
  });

  it("to a sign-in ends nothing: the password was wrong", async () => {
    const { client, answer, session } = await page(refuse);
    const body = { username: "admin", password: "wrong", cookie: true } as const;
    await failure(answer(client.POST("/api/v1/sessions", { body })));
    expect(session.sessionKey()).toBe("the-key");
  });
});
