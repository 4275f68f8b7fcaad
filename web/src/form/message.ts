import { i18n } from "../i18n/i18n";

interface Problem {
  message?: string | undefined;
}

/** What to say about a field: schemas carry message ids, the server carries sentences. */
export function fieldMessage(problem: Problem | undefined): string | undefined {
  const message = problem?.message;
  if (!message) return undefined;
  return message in i18n.messages ? i18n._(message) : message;
}
