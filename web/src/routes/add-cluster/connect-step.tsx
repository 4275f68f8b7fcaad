import type { KubeconfigContext } from "../../api/types";
import { KubeconfigInput } from "../../form/kubeconfig-input";
import { useT } from "../../i18n/i18n";
import { serviceAccountScript } from "../../kube/service-account";
import { StatusNote } from "../../shell/status-note";
import { Note } from "../../ui/badge";
import { Button } from "../../ui/button";
import { CopyBlock } from "../../ui/copy";
import { Radio } from "../../ui/field";
import { Card, Stack } from "../../ui/layout";
import type { Found } from "./form";
import styles from "./page.module.css";
import { wantsAccount, withFailure, withoutHint } from "./refusal";
import { Stages } from "./stages";
import type { Check } from "./use-check";

interface ConnectStepProps {
  kubeconfig: string;
  context: string | undefined;
  contexts: readonly KubeconfigContext[];
  check: Check;
  onKubeconfig(text: string): void;
  onContext(name: string): void;
  onRetry(): void;
  onNext(result: Found): void;
  onCancel(): void;
}

function Contexts({
  contexts,
  chosen,
  onContext,
}: {
  contexts: readonly KubeconfigContext[];
  chosen: string | undefined;
  onContext(name: string): void;
}) {
  const t = useT();
  const authentication: Record<string, string> = {
    token: t("context.token"),
    clientCertificate: t("context.clientCertificate"),
    none: t("context.none"),
  };
  return (
    <fieldset className={styles.contexts}>
      <legend>{t("context.label", { count: contexts.length })}</legend>
      {contexts.map((each) => (
        <Radio
          key={each.name}
          name="context"
          checked={each.name === chosen}
          onChange={() => onContext(each.name)}
          label={<strong>{each.name}</strong>}
          hint={t("context.detail", {
            server: each.server,
            user: each.user,
            authentication: authentication[each.authentication] ?? each.authentication,
          })}
        />
      ))}
    </fieldset>
  );
}

export function ConnectStep(props: ConnectStepProps) {
  const { kubeconfig, context, contexts, check, onKubeconfig, onContext, onRetry, onNext, onCancel } = props;
  const t = useT();
  const { result, running } = check;
  const failed = result && !result.ok ? result.status : undefined;
  const account = failed !== undefined && wantsAccount(failed);
  const shown = withFailure(check.lines, failed);
  const lines = account ? withoutHint(shown) : shown;
  const known = result?.ok ? result.alreadyRegisteredAs : undefined;
  const chosen = context ?? (result?.ok ? result.context : contexts.find((each) => each.current)?.name);
  const reason = !kubeconfig.trim()
    ? t("kubeconfig.missing")
    : running
      ? t("connect.running")
      : known
        ? t("connect.known", { name: known })
        : t("connect.failed");

  return (
    <Stack>
      <Card>
        <Stack>
          <KubeconfigInput value={kubeconfig} onChange={onKubeconfig} />
          {contexts.length > 1 && <Contexts contexts={contexts} chosen={chosen} onContext={onContext} />}
        </Stack>
      </Card>
      {(running || result) && (
        <Card
          flush
          title={t("connect.stages")}
          actions={
            <>
              <span aria-live="polite" className={styles.verdict}>
                {running ? t("connect.running") : result?.ok ? t("connect.ok") : t("connect.failed")}
              </span>
              {!running && (
                <Button size="small" icon="refresh" onClick={onRetry}>
                  {t("action.retry")}
                </Button>
              )}
            </>
          }
        >
          <Stages lines={lines} done={!running} />
        </Card>
      )}
      {failed && !failed.details?.stage && <StatusNote error={failed} />}
      {account && (
        <Card title={t("exec.title")}>
          <Stack>
            <p>{t("exec.text")}</p>
            <CopyBlock
              name={t("exec.block")}
              text={serviceAccountScript()}
              label={t("action.copy")}
              copiedLabel={t("action.copied")}
            />
          </Stack>
        </Card>
      )}
      {known && (
        <Note tone="warn" role="alert">
          {t("connect.known", { name: known })}
        </Note>
      )}
      <div className={styles.buttons}>
        <Button onClick={onCancel}>{t("action.cancel")}</Button>
        <Button
          kind="primary"
          reason={result?.ok && !known ? undefined : reason}
          onClick={() => result?.ok && onNext(result)}
        >
          {t("wizard.next")}
        </Button>
      </div>
    </Stack>
  );
}
