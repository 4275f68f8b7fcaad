// What a failed check says: at which stage it ended, and whether other credentials are the way out.
import type { StageLine, Status } from "../../api/types";

/** A failure reported only at the end is still shown on its stage. */
export function withFailure(lines: readonly StageLine[], status: Status | undefined): readonly StageLine[] {
  const stage = status?.details?.stage;
  if (!status || !stage || lines.some((line) => line.stage === stage && line.state === "failed")) return lines;
  return [...lines, { stage, state: "failed", message: status.message, hint: status.details?.hint }];
}

/**
 * Whether the kubeconfig signs in by something that the hub never does: running a program, or a password. An account
 * made for the hub is the way out, and the console offers the commands that make one.
 */
export function wantsAccount(status: Status): boolean {
  if (status.details?.stage !== "kubeconfig") return false;
  const fields = (status.details.causes ?? []).map((cause) => cause.field ?? "");
  if (fields.some((field) => /\b(exec|auth-provider|username|password)$/.test(field))) return true;
  return /\bexec\b|auth-provider/.test(status.message ?? "");
}

/** The stages without the hint of the failed one, for when something better than a hint is shown. */
export function withoutHint(lines: readonly StageLine[]): readonly StageLine[] {
  return lines.map((line) => (line.state === "failed" ? { ...line, hint: null } : line));
}
