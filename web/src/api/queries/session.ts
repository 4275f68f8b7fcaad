import { queryOptions } from "@tanstack/react-query";
import { answer, client } from "../client";
import type { CookieSession, Me } from "../types";

export const meQuery = queryOptions({
  queryKey: ["me"],
  queryFn: ({ signal }): Promise<Me> => answer(client.GET("/api/v1/me", { signal })),
  staleTime: Number.POSITIVE_INFINITY,
});

export function signIn(username: string, password: string): Promise<CookieSession> {
  return answer(client.POST("/api/v1/sessions", { body: { username, password, cookie: true } }));
}

export async function signOut(): Promise<void> {
  await answer(client.DELETE("/api/v1/sessions/current"));
}
