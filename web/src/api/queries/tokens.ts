import { queryOptions } from "@tanstack/react-query";
import { answer, client } from "../client";
import type { NewToken, Token } from "../types";

export const tokensQuery = queryOptions({
  queryKey: ["tokens"],
  queryFn: async ({ signal }): Promise<Token[]> => (await answer(client.GET("/api/v1/tokens", { signal }))).items,
});

export function createToken(name: string, expiresInDays: number | undefined): Promise<NewToken> {
  return answer(client.POST("/api/v1/tokens", { body: { name, ...(expiresInDays && { expiresInDays }) } }));
}

export async function revokeToken(id: string): Promise<void> {
  await answer(client.DELETE("/api/v1/tokens/{id}", { params: { path: { id } } }));
}
