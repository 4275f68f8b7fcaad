import { useMutation } from "@tanstack/react-query";
import { createKubeconfig } from "../api/queries/clusters";
import { reasonMessage, statusOf } from "../api/status";
import { useT } from "../i18n/i18n";
import { Button } from "../ui/button";
import { showToast } from "../ui/toast";
import { download } from "./download";

interface KubeconfigButtonProps {
  /** The file holds the hub and these clusters; all of them when none is named. */
  clusters?: readonly string[];
  kind?: "primary" | "default";
}

export function KubeconfigButton({ clusters, kind = "default" }: KubeconfigButtonProps) {
  const t = useT();
  const fetchIt = useMutation({
    mutationFn: () => createKubeconfig(clusters),
    onSuccess: (text) => {
      download("atoll.kubeconfig", text, "application/yaml");
      showToast({ tone: "info", text: t("kubeconfig.downloaded"), detail: t("kubeconfig.downloaded.detail") });
    },
    onError: (error) => {
      const status = statusOf(error);
      showToast({ tone: "bad", text: t(reasonMessage(status)), detail: status.message ?? undefined });
    },
  });
  return (
    <Button kind={kind} icon="download" busy={fetchIt.isPending} onClick={() => fetchIt.mutate()}>
      {t("kubeconfig.download")}
    </Button>
  );
}
