import { queryOptions } from "@tanstack/react-query";
import { answer, client } from "../client";
import type { Hold, HoldAnswer, HoldAnswered, HoldDetail } from "../types";

/** Changes that wait for an answer. */
export const holdsQuery = queryOptions({
  queryKey: ["holds"],
  queryFn: async ({ signal }): Promise<Hold[]> => (await answer(client.GET("/api/v1/holds", { signal }))).items,
  refetchInterval: 15_000,
  retry: false,
});

export function holdQuery(id: string) {
  return queryOptions({
    queryKey: ["holds", id],
    queryFn: ({ signal }): Promise<HoldDetail> =>
      answer(client.GET("/api/v1/holds/{id}", { params: { path: { id } }, signal })),
    retry: false,
  });
}

/** Answers exactly what was shown: when something else would go by now, it is refused. */
export async function answerHold(hold: Hold, chosen: HoldAnswer): Promise<HoldAnswered> {
  const params = { path: { id: hold.id } };
  return answer(client.POST("/api/v1/holds/{id}", { params, body: { answer: chosen, token: hold.token } }));
}
