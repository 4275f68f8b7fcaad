import { type DragEvent, useRef, useState } from "react";
import { useT } from "../i18n/i18n";
import { Button } from "../ui/button";
import { Field, monoInputClass } from "../ui/field";
import styles from "./kubeconfig-input.module.css";

/** What the hub accepts as a kubeconfig. */
const LARGEST = 1024 * 1024;

interface KubeconfigInputProps {
  value: string;
  onChange(value: string): void;
  error?: string | undefined;
}

/** A kubeconfig by paste, drop or file. It is read here and sent to the hub; nothing of it is stored in the browser. */
export function KubeconfigInput({ value, onChange, error }: KubeconfigInputProps) {
  const t = useT();
  const picker = useRef<HTMLInputElement>(null);
  const [over, setOver] = useState(false);
  const [tooLarge, setTooLarge] = useState(false);

  const read = async (file: File | undefined) => {
    if (!file) return;
    setTooLarge(file.size > LARGEST);
    if (file.size <= LARGEST) onChange(await file.text());
  };

  const drag = (event: DragEvent, inside: boolean) => {
    if (!event.dataTransfer.types.includes("Files")) return;
    event.preventDefault();
    setOver(inside);
  };

  return (
    <Field
      label={t("kubeconfig.label")}
      error={tooLarge ? t("kubeconfig.tooLarge") : error}
      hint={t("kubeconfig.hint")}
    >
      {(described) => (
        // biome-ignore lint/a11y/noStaticElementInteractions: dropping is a second way; the button beside it is the first.
        <div
          className={styles.drop}
          data-over={over || undefined}
          onDragOver={(event) => drag(event, true)}
          onDragLeave={(event) => drag(event, false)}
          onDrop={(event) => {
            drag(event, false);
            void read(event.dataTransfer.files[0]);
          }}
        >
          <textarea
            {...described}
            className={monoInputClass}
            rows={9}
            spellCheck={false}
            autoComplete="off"
            autoCapitalize="none"
            placeholder={t("kubeconfig.placeholder")}
            value={value}
            onChange={(event) => onChange(event.target.value)}
          />
          <div className={styles.bar}>
            <Button size="small" icon="upload" onClick={() => picker.current?.click()}>
              {t("kubeconfig.upload")}
            </Button>
            <input
              ref={picker}
              type="file"
              hidden
              aria-label={t("kubeconfig.upload")}
              onChange={(event) => {
                void read(event.target.files?.[0]);
                event.target.value = "";
              }}
            />
            {value && (
              <Button size="small" kind="quiet" onClick={() => onChange("")}>
                {t("kubeconfig.clear")}
              </Button>
            )}
          </div>
        </div>
      )}
    </Field>
  );
}
