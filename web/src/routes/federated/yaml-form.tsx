import { useState } from "react";
import { useT } from "../../i18n/i18n";
import { StatusNote } from "../../shell/status-note";
import { Button } from "../../ui/button";
import { Field } from "../../ui/field";
import { Card } from "../../ui/layout";
import styles from "./new.module.css";
import { PreviewPanel } from "./preview";

interface YamlFormProps {
  initial: string;
  submit: string;
  pending: boolean;
  error: unknown;
  onSubmit(text: string): void;
  onCancel(): void;
}

/** An object as text, with what the planner would do about it. The server reads the YAML. */
export function YamlForm({ initial, submit, pending, error, onSubmit, onCancel }: YamlFormProps) {
  const t = useT();
  const [text, setText] = useState(initial);
  const empty = !text.trim();
  return (
    <form
      className={styles.layout}
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        if (!empty) onSubmit(text);
      }}
    >
      <div className={styles.fields}>
        <Card>
          <Field label="YAML" hint={t("yaml.hint")}>
            {(described) => (
              <textarea
                {...described}
                className={styles.yaml}
                value={text}
                rows={Math.min(40, Math.max(20, text.split("\n").length + 1))}
                spellCheck={false}
                autoComplete="off"
                wrap="off"
                onChange={(event) => setText(event.target.value)}
              />
            )}
          </Field>
        </Card>
        {error != null && <StatusNote error={error} />}
        <div className={styles.buttons}>
          <Button onClick={onCancel}>{t("action.cancel")}</Button>
          <Button kind="primary" type="submit" busy={pending} reason={empty ? t("yaml.empty") : undefined}>
            {submit}
          </Button>
        </div>
      </div>
      <aside className={styles.aside} aria-label={t("preview.title")}>
        <PreviewPanel object={text} complete={!empty} />
      </aside>
    </form>
  );
}
