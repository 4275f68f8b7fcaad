import { useNavigate } from "@tanstack/react-router";
import { useEffect, useRef, useState } from "react";
import { addCluster, clusterList } from "../../api/queries/clusters";
import { ApiError, statusOf } from "../../api/status";
import type { StageLine, Status } from "../../api/types";
import { formatList } from "../../i18n/format";
import { useT } from "../../i18n/i18n";
import { useRows } from "../../live/use-rows";
import { PageFrame } from "../../shell/page";
import { Icon } from "../../ui/icon";
import { showToast } from "../../ui/toast";
import { ConfirmStep } from "./confirm-step";
import { ConnectStep } from "./connect-step";
import {
  type ConfirmForm,
  EMPTY,
  type FieldProblem,
  type Found,
  fieldProblem,
  guess,
  newCluster,
  prefill,
} from "./form";
import { JoinStep } from "./join-step";
import styles from "./page.module.css";
import { useCheck } from "./use-check";

type Step = "connect" | "confirm" | "join";
const STEPS = ["connect", "confirm", "join"] as const;

function StepList({ step }: { step: Step }) {
  const t = useT();
  const text = { connect: t("wizard.connect"), confirm: t("wizard.confirm"), join: t("wizard.joining") };
  const at = STEPS.indexOf(step);
  return (
    <ol className={styles.steps}>
      {STEPS.map((each, index) => (
        <li key={each} aria-current={each === step ? "step" : undefined} data-done={index < at || undefined}>
          <span className={styles.number}>{index < at ? <Icon name="check" size={14} /> : index + 1}</span>
          {text[each]}
        </li>
      ))}
    </ol>
  );
}

export function Page() {
  const t = useT();
  const navigate = useNavigate();
  const { rows } = useRows(clusterList);
  const [step, setStep] = useState<Step>("connect");
  const [kubeconfig, setKubeconfig] = useState("");
  const [context, setContext] = useState<string>();
  const { check, contexts, start } = useCheck();
  const [found, setFound] = useState<Found>();
  const [values, setValues] = useState(EMPTY);
  const [lines, setLines] = useState<readonly StageLine[]>([]);
  const [failure, setFailure] = useState<Status>();
  const [problem, setProblem] = useState<FieldProblem>();
  const joining = useRef<AbortController>(undefined);
  const body = useRef<HTMLDivElement>(null);
  useEffect(() => () => joining.current?.abort(), []);

  const show = (next: Step) => {
    setStep(next);
    body.current?.focus({ preventScroll: true });
    scrollTo({ top: 0 });
  };

  const confirm = (result: Found) => {
    setValues((before) => prefill(before, found && guess(found), guess(result)));
    setFound(result);
    show("confirm");
  };

  const join = async (form: ConfirmForm) => {
    setValues(form);
    setLines([]);
    setFailure(undefined);
    setProblem(undefined);
    show("join");
    const controller = new AbortController();
    joining.current = controller;
    try {
      const add = newCluster(form, kubeconfig, found?.context ?? context);
      const joined = await addCluster(add, controller.signal, (line) => setLines((before) => [...before, line]));
      const written = (joined.created ?? []).map((object) => `${object.kind} ${object.name}`);
      showToast({
        tone: "ok",
        text: t("join.done", { name: joined.cluster.name }),
        detail: written.length ? t("join.created", { objects: formatList(written) }) : t("confirm.creates.nothing"),
      });
      await navigate({ to: "/clusters/$name", params: { name: joined.cluster.name } });
    } catch (error) {
      if (controller.signal.aborted) return;
      const status = statusOf(error);
      const about = error instanceof ApiError ? fieldProblem(status) : undefined;
      setProblem(about);
      setFailure(status);
      if (about) show("confirm");
    }
  };

  return (
    <PageFrame
      narrow
      title={t("add.title")}
      subtitle={t("add.subtitle")}
      crumb={{ to: "/clusters", text: t("clusters.title") }}
    >
      <StepList step={step} />
      <div ref={body} tabIndex={-1} className={styles.body}>
        {step === "connect" && (
          <ConnectStep
            kubeconfig={kubeconfig}
            context={context}
            contexts={contexts}
            check={check}
            onKubeconfig={(text) => {
              setKubeconfig(text);
              setContext(undefined);
              start(text, undefined);
            }}
            onContext={(name) => {
              setContext(name);
              start(kubeconfig, name, 0);
            }}
            onRetry={() => start(kubeconfig, context, 0)}
            onNext={confirm}
            onCancel={() => void navigate({ to: "/clusters" })}
          />
        )}
        {step === "confirm" && found && (
          <ConfirmStep
            found={found}
            values={values}
            problem={problem}
            taken={rows.map((cluster) => cluster.name)}
            host={rows.find((cluster) => cluster.role === "host")?.name}
            onBack={(form) => {
              setValues(form);
              show("connect");
            }}
            onSubmit={(form) => void join(form)}
          />
        )}
        {step === "join" && (
          <JoinStep
            name={values.name}
            lines={lines}
            failure={failure}
            onBack={() => show("confirm")}
            onRetry={() => void join(values)}
          />
        )}
      </div>
    </PageFrame>
  );
}
