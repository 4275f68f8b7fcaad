import { useState } from "react";
import { useT } from "../i18n/i18n";
import { type Labels, parseLabel } from "../kube/labels";
import { Button } from "../ui/button";
import { Field, monoInputClass } from "../ui/field";
import styles from "./labels-input.module.css";

/** Labels as chips, added one at a time as key=value. */
export function LabelsInput({ labels, onChange }: { labels: Labels; onChange(labels: Labels): void }) {
  const t = useT();
  const [text, setText] = useState("");
  const [wrong, setWrong] = useState(false);

  const add = () => {
    if (!text.trim()) return;
    const label = parseLabel(text);
    setWrong(!label);
    if (!label) return;
    onChange({ ...labels, [label[0]]: label[1] });
    setText("");
  };

  const remove = (key: string) => onChange(Object.fromEntries(Object.entries(labels).filter(([each]) => each !== key)));

  return (
    <Field
      label={t("labels.label")}
      optional={t("field.optional")}
      hint={t("labels.hint")}
      error={wrong ? t("labels.wrong") : undefined}
    >
      {(described) => (
        <div className={styles.labels}>
          {Object.keys(labels).length > 0 && (
            <ul className={styles.chips} aria-label={t("labels.label")}>
              {Object.entries(labels).map(([key, value]) => (
                <li key={key}>
                  <button type="button" title={t("labels.remove", { label: key })} onClick={() => remove(key)}>
                    <code>{value ? `${key}=${value}` : key}</code>
                    <span aria-hidden="true">×</span>
                    <span className={styles.hidden}>{t("labels.remove", { label: key })}</span>
                  </button>
                </li>
              ))}
            </ul>
          )}
          <div className={styles.add}>
            <input
              {...described}
              className={monoInputClass}
              placeholder="region=eu"
              spellCheck={false}
              autoComplete="off"
              value={text}
              onChange={(event) => setText(event.target.value)}
              onKeyDown={(event) => {
                if (event.key !== "Enter" || !text.trim()) return;
                event.preventDefault();
                add();
              }}
            />
            <Button icon="plus" onClick={add}>
              {t("labels.add")}
            </Button>
          </div>
        </div>
      )}
    </Field>
  );
}
