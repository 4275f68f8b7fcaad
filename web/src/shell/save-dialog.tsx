import type { ReactNode } from "react";
import { useT } from "../i18n/i18n";
import { Button } from "../ui/button";
import { Dialog } from "../ui/dialog";
import { StatusNote } from "./status-note";

interface SaveDialogProps {
  title: ReactNode;
  description?: ReactNode;
  wide?: boolean;
  /** The mutation that saves. */
  save: { mutate(): void; isPending: boolean; error: unknown };
  /** Why it may not be saved as it stands. */
  reason?: string | undefined;
  onClose(): void;
  children: ReactNode;
}

/** A dialog that changes something: the fields, Cancel and Save, and above them why saving failed. */
export function SaveDialog({ save, reason, children, ...dialog }: SaveDialogProps) {
  const t = useT();
  return (
    <Dialog
      {...dialog}
      closeLabel={t("action.close")}
      onSubmit={() => save.mutate()}
      actions={
        <>
          <Button onClick={dialog.onClose}>{t("action.cancel")}</Button>
          <Button kind="primary" type="submit" busy={save.isPending} reason={reason}>
            {t("action.save")}
          </Button>
        </>
      }
    >
      {save.error ? <StatusNote error={save.error} /> : undefined}
      {children}
    </Dialog>
  );
}
