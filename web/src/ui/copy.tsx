import { useState } from "react";
import { IconButton } from "./button";
import styles from "./copy.module.css";

interface CopyProps {
  text: string;
  label: string;
  copiedLabel: string;
}

function CopyButton({ text, label, copiedLabel }: CopyProps) {
  const [copied, setCopied] = useState(false);
  return (
    <>
      <IconButton
        icon={copied ? "check" : "copy"}
        label={copied ? copiedLabel : label}
        onClick={() => {
          void navigator.clipboard?.writeText(text).then(() => {
            setCopied(true);
            setTimeout(() => setCopied(false), 2000);
          });
        }}
      />
      <span className={styles.said} aria-live="polite">
        {copied ? copiedLabel : ""}
      </span>
    </>
  );
}

/** Text to be taken elsewhere as it stands. */
export function CopyBlock(props: CopyProps & { name: string; tall?: boolean }) {
  return (
    <div className={styles.block}>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a box that scrolls has to be reachable by keyboard. */}
      <pre className={props.tall ? styles.tall : undefined} tabIndex={0} role="region" aria-label={props.name}>
        <code>{props.text}</code>
      </pre>
      <CopyButton {...props} />
    </div>
  );
}
