import { queryOptions } from "@tanstack/react-query";
import { answer, client } from "../client";
import { ApiError } from "../status";
import type { CookieSession, Me } from "../types";

export const meQuery = queryOptions({
  queryKey: ["me"],
  queryFn: ({ signal }): Promise<Me> => answer(client.GET("/api/v1/me", { signal })),
  staleTime: Number.POSITIVE_INFINITY,
});

export async function signIn(username: string, password: string): Promise<CookieSession> {
  const session = await answer(client.POST("/api/v1/sessions", { body: { username, password, cookie: true } }));
  if ("key" in session) return session;
  throw new ApiError({ kind: "Status", message: "the hub answered a token where a cookie was asked for" });
}

export async function signOut(): Promise<void> {
  await answer(client.DELETE("/api/v1/sessions/current"));
}
