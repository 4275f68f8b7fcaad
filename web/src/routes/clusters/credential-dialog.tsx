import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { replaceCredential } from "../../api/queries/clusters";
import type { Cluster } from "../../api/types";
import { KubeconfigInput } from "../../form/kubeconfig-input";
import { useT } from "../../i18n/i18n";
import { StatusNote } from "../../shell/status-note";
import { Button } from "../../ui/button";
import { Dialog } from "../../ui/dialog";
import { showToast } from "../../ui/toast";

export function CredentialDialog({ cluster, onClose }: { cluster: Cluster; onClose(): void }) {
  const t = useT();
  const [kubeconfig, setKubeconfig] = useState("");
  const replace = useMutation({
    mutationFn: () => replaceCredential(cluster.name, kubeconfig),
    onSuccess: () => {
      showToast({ tone: "ok", text: t("cluster.credential.saved", { name: cluster.name }) });
      onClose();
    },
  });
  return (
    <Dialog
      wide
      title={t("cluster.credential.title", { name: cluster.name })}
      description={t("cluster.credential.text")}
      closeLabel={t("action.close")}
      onClose={onClose}
      onSubmit={() => replace.mutate()}
      actions={
        <>
          <Button onClick={onClose}>{t("action.cancel")}</Button>
          <Button
            kind="primary"
            type="submit"
            busy={replace.isPending}
            reason={kubeconfig.trim() ? undefined : t("kubeconfig.missing")}
          >
            {t("cluster.credential.submit")}
          </Button>
        </>
      }
    >
      {replace.error && <StatusNote error={replace.error} />}
      <KubeconfigInput value={kubeconfig} onChange={setKubeconfig} />
    </Dialog>
  );
}
