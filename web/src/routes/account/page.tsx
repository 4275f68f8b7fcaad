import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { meQuery } from "../../api/queries/session";
import { revokeToken, tokensQuery } from "../../api/queries/tokens";
import type { NewToken, Token } from "../../api/types";
import { useT } from "../../i18n/i18n";
import { KubeconfigButton } from "../../shell/kubeconfig-button";
import { PageFrame } from "../../shell/page";
import { StatusNote, StatusScreen } from "../../shell/status-note";
import { When } from "../../shell/when";
import { type Column, Table } from "../../table/table";
import { Note } from "../../ui/badge";
import { Button } from "../../ui/button";
import { CopyBlock } from "../../ui/copy";
import { Dialog } from "../../ui/dialog";
import { Card, Empty, Facts, Skeleton, Stack } from "../../ui/layout";
import { showToast } from "../../ui/toast";
import { NewTokenDialog } from "./new-token-dialog";

function Identity() {
  const t = useT();
  const { data: me } = useQuery(meQuery);
  if (!me) return null;
  return (
    <Card title={t("account.you")}>
      <Facts
        items={[
          [t("account.name"), me.user.name],
          [t("account.displayName"), me.user.displayName || "–"],
          [t("account.rights"), me.user.admin ? t("account.admin") : t("account.notAdmin")],
          [t("account.groups"), me.groups.length ? me.groups.join(", ") : "–"],
          [t("account.sessionEnds"), <When key="ends" value={me.sessionExpiresAt} />],
        ]}
      />
    </Card>
  );
}

/** The only time a token is shown. */
function TokenShown({ token, onClose }: { token: NewToken; onClose(): void }) {
  const t = useT();
  return (
    <Dialog
      title={t("tokens.shown.title", { name: token.name })}
      description={t("tokens.shown.text")}
      closeLabel={t("action.close")}
      onClose={onClose}
      onSubmit={onClose}
      actions={
        <Button kind="primary" type="submit">
          {t("tokens.shown.done")}
        </Button>
      }
    >
      <CopyBlock
        name={t("tokens.token")}
        text={token.token}
        label={t("action.copy")}
        copiedLabel={t("action.copied")}
      />
      <Note tone="warn">{t("tokens.shown.warning")}</Note>
    </Dialog>
  );
}

function RevokeDialog({ token, onClose }: { token: Token; onClose(): void }) {
  const t = useT();
  const queries = useQueryClient();
  const revoke = useMutation({
    mutationFn: () => revokeToken(token.id),
    onSuccess: async () => {
      showToast({ tone: "ok", text: t("tokens.revoked", { name: token.name }) });
      await queries.invalidateQueries(tokensQuery);
      onClose();
    },
  });
  return (
    <Dialog
      title={t("tokens.revoke.title", { name: token.name })}
      closeLabel={t("action.close")}
      onClose={onClose}
      onSubmit={() => revoke.mutate()}
      actions={
        <>
          <Button onClick={onClose}>{t("action.cancel")}</Button>
          <Button kind="danger" type="submit" busy={revoke.isPending}>
            {t("tokens.revoke.submit")}
          </Button>
        </>
      }
    >
      {revoke.error && <StatusNote error={revoke.error} />}
      <p>{t("tokens.revoke.text")}</p>
    </Dialog>
  );
}

export function Page() {
  const t = useT();
  const tokens = useQuery(tokensQuery);
  const [creating, setCreating] = useState(false);
  const [created, setCreated] = useState<NewToken>();
  const [revoking, setRevoking] = useState<Token>();

  const columns: Column<Token>[] = [
    { key: "name", title: t("tokens.name"), cell: (token) => <strong>{token.name}</strong> },
    { key: "created", title: t("tokens.created"), cell: (token) => <When value={token.createdAt} /> },
    {
      key: "expires",
      title: t("tokens.expires"),
      cell: (token) => (token.expiresAt ? <When value={token.expiresAt} /> : t("cluster.never")),
    },
    {
      key: "used",
      title: t("tokens.used"),
      cell: (token) => (token.lastUsedAt ? <When value={token.lastUsedAt} /> : t("cluster.never")),
    },
  ];

  return (
    <PageFrame narrow title={t("account.title")} subtitle={t("account.subtitle")}>
      <Identity />
      <Card title={t("account.kubeconfig")}>
        <Stack>
          <p>{t("account.kubeconfig.text")}</p>
          <div>
            <KubeconfigButton />
          </div>
        </Stack>
      </Card>
      <Card
        title={t("tokens.title")}
        flush
        actions={
          <Button size="small" icon="plus" onClick={() => setCreating(true)}>
            {t("tokens.new")}
          </Button>
        }
      >
        {tokens.error ? (
          <StatusScreen error={tokens.error} onRetry={() => void tokens.refetch()} />
        ) : !tokens.data ? (
          <Skeleton label={t("tokens.loading")} rows={3} />
        ) : tokens.data.length === 0 ? (
          <Empty icon="key" title={t("tokens.empty.title")}>
            {t("tokens.empty.text")}
          </Empty>
        ) : (
          <Table
            label={t("tokens.title")}
            columns={columns}
            groups={[{ key: "all", rows: tokens.data }]}
            keyOf={(token) => token.id}
            actions={(token) => (
              <Button
                size="small"
                kind="quiet"
                onClick={() => setRevoking(token)}
                aria-label={t("tokens.revoke.title", { name: token.name })}
              >
                {t("tokens.revoke.submit")}
              </Button>
            )}
            actionsLabel={t("list.actions")}
          />
        )}
      </Card>
      {creating && (
        <NewTokenDialog
          onClose={() => setCreating(false)}
          onCreated={(token) => {
            setCreating(false);
            setCreated(token);
          }}
        />
      )}
      {created && <TokenShown token={created} onClose={() => setCreated(undefined)} />}
      {revoking && <RevokeDialog token={revoking} onClose={() => setRevoking(undefined)} />}
    </PageFrame>
  );
}
