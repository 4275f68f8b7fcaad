import { Dialog as Base } from "@base-ui/react/dialog";
import type { ReactNode } from "react";
import { IconButton } from "./button";
import styles from "./dialog.module.css";

interface DialogProps {
  title: ReactNode;
  description?: ReactNode;
  closeLabel: string;
  wide?: boolean;
  onClose(): void;
  children: ReactNode;
  /** Buttons, the main one last. */
  actions: ReactNode;
  /** Pressing Enter in a field submits. */
  onSubmit?: (() => void) | undefined;
}

/** A modal dialog. It is mounted while open, so its state begins anew each time. */
export function Dialog({ title, description, closeLabel, wide, onClose, children, actions, onSubmit }: DialogProps) {
  return (
    <Base.Root open onOpenChange={(open) => !open && onClose()}>
      <Base.Portal>
        <Base.Backdrop className={styles.backdrop} />
        <Base.Popup className={wide ? styles.wide : styles.popup}>
          <form
            className={styles.form}
            noValidate
            onSubmit={(event) => {
              event.preventDefault();
              event.stopPropagation();
              onSubmit?.();
            }}
          >
            <header className={styles.header}>
              <div>
                <Base.Title className={styles.title}>{title}</Base.Title>
                {description && <Base.Description className={styles.description}>{description}</Base.Description>}
              </div>
              <Base.Close render={<IconButton icon="close" label={closeLabel} />} />
            </header>
            <div className={styles.body}>{children}</div>
            <footer className={styles.footer}>{actions}</footer>
          </form>
        </Base.Popup>
      </Base.Portal>
    </Base.Root>
  );
}
