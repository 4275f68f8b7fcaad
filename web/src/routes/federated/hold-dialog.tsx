import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { answerHold } from "../../api/queries/holds";
import type { Hold, HoldAnswer } from "../../api/types";
import { useT } from "../../i18n/i18n";
import type { PlainId } from "../../i18n/ids";
import { StatusNote } from "../../shell/status-note";
import { Button } from "../../ui/button";
import { Dialog } from "../../ui/dialog";
import { TextField } from "../../ui/field";
import { showToast } from "../../ui/toast";

const WORDS: Record<HoldAnswer, { title: PlainId; text: PlainId; submit: PlainId; done: PlainId }> = {
  undo: { title: "hold.undo.title", text: "hold.undo.text", submit: "hold.undo.open", done: "hold.undo.done" },
  orphan: {
    title: "hold.orphan.title",
    text: "hold.orphan.text",
    submit: "hold.orphan.open",
    done: "hold.orphan.done",
  },
  delete: {
    title: "hold.delete.title",
    text: "hold.delete.text",
    submit: "hold.delete.submit",
    done: "hold.delete.done",
  },
};

interface HoldDialogProps {
  hold: Hold;
  answer: HoldAnswer;
  /** What would be restored. */
  undo: string;
  onClose(): void;
  onAnswered(): void;
}

/** Says what an answer does. What deletes is confirmed by typing how much. */
export function HoldDialog({ hold, answer, undo, onClose, onAnswered }: HoldDialogProps) {
  const t = useT();
  const queries = useQueryClient();
  const words = WORDS[answer];
  const wanted = String(hold.deletes);
  const [typed, setTyped] = useState("");
  const give = useMutation({
    mutationFn: () => answerHold(hold, answer),
    onSuccess: ({ left }) => {
      showToast({ tone: left.length ? "info" : "ok", text: t(words.done), detail: left.join("; ") || undefined });
      onClose();
      onAnswered();
    },
    // Answered or refused: what waits is another by now.
    onSettled: () => queries.invalidateQueries({ queryKey: ["holds"] }),
  });
  const unconfirmed = answer === "delete" && typed.trim() !== wanted;
  return (
    <Dialog
      title={t(words.title)}
      closeLabel={t("action.close")}
      onClose={onClose}
      onSubmit={() => !unconfirmed && give.mutate()}
      actions={
        <>
          <Button onClick={onClose}>{t("action.cancel")}</Button>
          <Button
            kind={answer === "delete" ? "danger" : "primary"}
            type="submit"
            busy={give.isPending}
            reason={unconfirmed ? t("confirm.reason", { name: wanted }) : undefined}
          >
            {t(words.submit)}
          </Button>
        </>
      }
    >
      {give.error && <StatusNote error={give.error} />}
      <p>{t(words.text)}</p>
      {answer === "undo" && <p lang="en">{undo}</p>}
      {answer === "delete" && (
        <TextField
          mono
          inputMode="numeric"
          label={t("confirm.label", { name: wanted })}
          value={typed}
          onChange={(event) => setTyped(event.target.value)}
        />
      )}
    </Dialog>
  );
}
