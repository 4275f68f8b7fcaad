import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { createToken, tokensQuery } from "../../api/queries/tokens";
import type { NewToken } from "../../api/types";
import { useT } from "../../i18n/i18n";
import { StatusNote } from "../../shell/status-note";
import { Button } from "../../ui/button";
import { Dialog } from "../../ui/dialog";
import { Field, Select, TextField } from "../../ui/field";

interface NewTokenDialogProps {
  onClose(): void;
  onCreated(token: NewToken): void;
}

const DAYS = [7, 30, 90, 365] as const;

export function NewTokenDialog({ onClose, onCreated }: NewTokenDialogProps) {
  const t = useT();
  const queries = useQueryClient();
  const [name, setName] = useState("");
  const [days, setDays] = useState("30");
  const create = useMutation({
    mutationFn: () => createToken(name.trim(), Number(days) || undefined),
    onSuccess: async (token) => {
      onCreated(token);
      await queries.invalidateQueries(tokensQuery);
    },
  });
  return (
    <Dialog
      title={t("tokens.new.title")}
      closeLabel={t("action.close")}
      onClose={onClose}
      onSubmit={() => create.mutate()}
      actions={
        <>
          <Button onClick={onClose}>{t("action.cancel")}</Button>
          <Button
            kind="primary"
            type="submit"
            busy={create.isPending}
            reason={name.trim() ? undefined : t("tokens.name.missing")}
          >
            {t("tokens.new.submit")}
          </Button>
        </>
      }
    >
      {create.error && <StatusNote error={create.error} />}
      <TextField
        label={t("tokens.name")}
        hint={t("tokens.name.hint")}
        maxLength={63}
        value={name}
        onChange={(event) => setName(event.target.value)}
      />
      <Field label={t("tokens.expires")}>
        {(described) => (
          <Select
            {...described}
            value={days}
            options={[
              ...DAYS.map((each) => [String(each), t("tokens.days", { count: each })] as const),
              ["", t("tokens.noExpiry")],
            ]}
            onChange={(event) => setDays(event.target.value)}
          />
        )}
      </Field>
    </Dialog>
  );
}
