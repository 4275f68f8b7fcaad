// From the server's words to message ids. The server sends codes and parameters; people read their own language.
import type { PlainId } from "../i18n/ids";
import type { Status } from "./types";

/** A failed call, with the Status that says why. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  constructor(
    readonly status: Status,
    options?: ErrorOptions,
  ) {
    super(status.message ?? status.reason ?? "the call failed", options);
  }
}

export function isStatus(value: unknown): value is Status {
  return typeof value === "object" && value !== null && "kind" in value && value.kind === "Status";
}

export function statusOf(error: unknown): Status {
  if (error instanceof ApiError) return error.status;
  return { kind: "Status", message: error instanceof Error ? error.message : String(error) };
}

/** What stands for an answer when none came. */
export function unreachable(): Status {
  return { kind: "Status", reason: "Unreachable", code: 0 };
}

const REASONS: Record<string, PlainId> = {
  AlreadyExists: "status.alreadyExists",
  BadRequest: "status.badRequest",
  Conflict: "status.conflict",
  Expired: "status.expired",
  Forbidden: "status.forbidden",
  Gone: "status.gone",
  InternalError: "status.internalError",
  Invalid: "status.invalid",
  MethodNotAllowed: "status.methodNotAllowed",
  NotAcceptable: "status.notAcceptable",
  NotFound: "status.notFound",
  RequestEntityTooLarge: "status.tooLarge",
  ServerTimeout: "status.timeout",
  ServiceUnavailable: "status.unavailable",
  Timeout: "status.timeout",
  TooManyRequests: "status.tooManyRequests",
  Unauthorized: "status.unauthorized",
  Unreachable: "status.unreachable",
  UnsupportedMediaType: "status.unsupportedMediaType",
};

/** The reasons a Status may carry, each with a sentence of its own. */
export const KNOWN_REASONS = Object.keys(REASONS);

export function reasonMessage(status: Status): PlainId {
  return REASONS[status.reason ?? ""] ?? "status.unknown";
}

const STAGES: Record<string, PlainId> = {
  kubeconfig: "stage.kubeconfig",
  dns: "stage.dns",
  tcp: "stage.tcp",
  tls: "stage.tls",
  signIn: "stage.signIn",
  version: "stage.version",
  permissions: "stage.permissions",
  nodes: "stage.nodes",
  identity: "stage.identity",
};

/** The order in which a connection is checked. */
export const STAGE_ORDER = Object.keys(STAGES);

export function stageMessage(stage: string): PlainId | undefined {
  return STAGES[stage];
}

const STAGE_HINTS: Record<string, PlainId> = {
  dns: "stage.hint.dns",
  tcp: "stage.hint.tcp",
  tls: "stage.hint.tls",
  signIn: "stage.hint.signIn",
  permissions: "stage.hint.permissions",
};

/** What usually helps when this stage fails, for servers that sent no hint of their own. */
export function stageHint(stage: string): PlainId | undefined {
  return STAGE_HINTS[stage];
}
