import { useEffect, useRef, useState } from "react";
import { checkConnection } from "../../api/queries/clusters";
import { statusOf } from "../../api/status";
import type { CheckResult, KubeconfigContext, StageLine } from "../../api/types";

export interface Check {
  lines: readonly StageLine[];
  result: CheckResult | undefined;
  running: boolean;
}

const NONE: Check = { lines: [], result: undefined, running: false };
/** Typing a kubeconfig by hand should not start a check per key. */
const SETTLE = 350;

/** Checks a kubeconfig as soon as there is one, and again for another context. The last one asked for wins. */
export function useCheck() {
  const [check, setCheck] = useState<Check>(NONE);
  const [contexts, setContexts] = useState<readonly KubeconfigContext[]>([]);
  const current = useRef<AbortController>(undefined);

  useEffect(() => () => current.current?.abort(), []);

  const run = async (kubeconfig: string, context: string | undefined, controller: AbortController) => {
    const { signal } = controller;
    const finish = (result: CheckResult) => {
      if (signal.aborted) return;
      setContexts((known) => (result.contexts?.length ? result.contexts : known));
      setCheck((before) => ({ ...before, result, running: false }));
    };
    try {
      for await (const line of checkConnection(kubeconfig, context, signal)) {
        if (signal.aborted) return;
        if ("stage" in line) setCheck((before) => ({ ...before, lines: [...before.lines, line.stage] }));
        else return finish(line.result);
      }
      finish({ ok: false, status: { kind: "Status", reason: "Unreachable" } });
    } catch (error) {
      finish({ ok: false, status: statusOf(error) });
    }
  };

  const start = (kubeconfig: string, context: string | undefined, wait = SETTLE) => {
    current.current?.abort();
    if (!context) setContexts([]);
    if (!kubeconfig.trim()) return setCheck(NONE);
    const controller = new AbortController();
    current.current = controller;
    setCheck({ lines: [], result: undefined, running: true });
    const timer = setTimeout(() => void run(kubeconfig, context, controller), wait);
    controller.signal.addEventListener("abort", () => clearTimeout(timer));
  };

  return { check, contexts, start };
}
