import type { StageLine, Status } from "../../api/types";
import { useT } from "../../i18n/i18n";
import { StatusNote } from "../../shell/status-note";
import { Button } from "../../ui/button";
import { Card, Stack } from "../../ui/layout";
import styles from "./page.module.css";
import { withFailure } from "./refusal";
import { Stages } from "./stages";

interface JoinStepProps {
  name: string;
  lines: readonly StageLine[];
  failure: Status | undefined;
  onBack(): void;
  onRetry(): void;
}

export function JoinStep({ name, lines, failure, onBack, onRetry }: JoinStepProps) {
  const t = useT();
  return (
    <Stack>
      <Card flush title={failure ? t("join.failed", { name }) : t("join.running", { name })}>
        <Stages lines={withFailure(lines, failure)} done={failure !== undefined} />
      </Card>
      {failure && <StatusNote error={failure} />}
      {failure && (
        <div className={styles.buttons}>
          <Button onClick={onBack}>{t("wizard.back")}</Button>
          <Button kind="primary" icon="refresh" onClick={onRetry}>
            {t("action.retry")}
          </Button>
        </div>
      )}
    </Stack>
  );
}
