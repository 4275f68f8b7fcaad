import { useSyncExternalStore } from "react";
import { IconButton } from "./button";
import { Icon } from "./icon";
import styles from "./toast.module.css";

export interface Toast {
  id: number;
  tone: "ok" | "bad" | "info";
  text: string;
  detail?: string | undefined;
}

const SHOWN_FOR = 6000;
let toasts: readonly Toast[] = [];
let next = 1;
const listeners = new Set<() => void>();

function publish(changed: readonly Toast[]) {
  toasts = changed;
  for (const listener of listeners) listener();
}

export function dismissToast(id: number) {
  publish(toasts.filter((toast) => toast.id !== id));
}

/** Says that something happened. Errors stay until they are dismissed. */
export function showToast(toast: Omit<Toast, "id">) {
  const id = next++;
  publish([...toasts.slice(-3), { ...toast, id }]);
  if (toast.tone !== "bad") setTimeout(() => dismissToast(id), SHOWN_FOR);
}

function subscribe(listener: () => void) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

const ICON = { ok: "ready", bad: "offline", info: "info" } as const;

export function Toasts({ label, dismissLabel }: { label: string; dismissLabel: string }) {
  const shown = useSyncExternalStore(subscribe, () => toasts);
  return (
    <section className={styles.toasts} aria-label={label} aria-live="polite">
      {shown.map((toast) => (
        <div key={toast.id} className={`${styles.toast} ${styles[toast.tone]}`}>
          <Icon name={ICON[toast.tone]} />
          <div className={styles.text}>
            <strong>{toast.text}</strong>
            {toast.detail && <span>{toast.detail}</span>}
          </div>
          <IconButton icon="close" label={dismissLabel} onClick={() => dismissToast(toast.id)} />
        </div>
      ))}
    </section>
  );
}
