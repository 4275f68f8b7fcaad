import { zodResolver } from "@hookform/resolvers/zod";
import { useMutation } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { type FieldPath, useForm } from "react-hook-form";
import { clusterList } from "../../api/queries/clusters";
import { createDeployment } from "../../api/queries/federated";
import { statusOf } from "../../api/status";
import type { Cluster } from "../../api/types";
import { formatList } from "../../i18n/format";
import { useT } from "../../i18n/i18n";
import { buildDeployment, type DeploymentForm, formField } from "../../kube/federated-deployment";
import { useRows } from "../../live/use-rows";
import { PageFrame } from "../../shell/page";
import { StatusNote, StatusScreen } from "../../shell/status-note";
import { Button, buttonClass } from "../../ui/button";
import { Icon } from "../../ui/icon";
import { Empty, Skeleton } from "../../ui/layout";
import { showToast } from "../../ui/toast";
import { hostFirst } from "../clusters/order";
import { ClusterChoice } from "./cluster-choice";
import { ContainerFields } from "./container-fields";
import styles from "./new.module.css";
import { PreviewPanel } from "./preview";
import { deploymentSchema } from "./schema";

const EMPTY: Omit<DeploymentForm, "clusters"> = {
  name: "",
  namespace: "default",
  image: "",
  ports: [],
  cpuRequest: "",
  cpuLimit: "",
  memoryRequest: "",
  memoryLimit: "",
  replicas: "1",
};

function NewDeployment({ fleet }: { fleet: readonly Cluster[] }) {
  const t = useT();
  const navigate = useNavigate();
  const form = useForm<DeploymentForm>({
    resolver: zodResolver(deploymentSchema),
    defaultValues: {
      ...EMPTY,
      clusters: hostFirst(fleet).map(({ name }) => ({ name, selected: false, replicas: "", image: "" })),
    },
  });
  const values = form.watch();
  const object = buildDeployment(values);
  const complete = deploymentSchema.safeParse(values).success;

  const create = useMutation({
    mutationFn: (checked: DeploymentForm) => createDeployment(buildDeployment(checked)),
    onSuccess: async ({ summary, created }) => {
      const others = created.filter((each) => each.kind !== summary.kind).map((each) => `${each.kind} ${each.name}`);
      showToast({
        tone: "ok",
        text: t("new.created", { name: summary.name }),
        detail: others.length ? t("join.created", { objects: formatList(others) }) : undefined,
      });
      await navigate({
        to: "/federated/deployments.apps/$namespace/$name",
        params: { namespace: summary.namespace, name: summary.name },
      });
    },
    onError: (error, checked) => {
      const { reason, message, details } = statusOf(error);
      let first = true;
      for (const cause of details?.causes ?? []) {
        const field = cause.field && formField(cause.field, checked);
        if (!field || !isField(field, checked)) continue;
        form.setError(field, { type: "server", message: cause.message ?? "" }, { shouldFocus: first });
        first = false;
      }
      if (first && reason === "AlreadyExists")
        form.setError("name", { type: "server", message: message ?? "" }, { shouldFocus: true });
    },
  });

  return (
    <form
      className={styles.layout}
      noValidate
      onSubmit={(event) => void form.handleSubmit((checked) => create.mutate(checked))(event)}
    >
      <div className={styles.fields}>
        <ContainerFields form={form} />
        <ClusterChoice form={form} fleet={fleet} />
        {create.error && <StatusNote error={create.error} />}
        <div className={styles.buttons}>
          <Button onClick={() => void navigate({ to: "/federated/deployments.apps" })}>{t("action.cancel")}</Button>
          <Button kind="primary" type="submit" busy={create.isPending}>
            {t("new.submit")}
          </Button>
        </div>
      </div>
      <aside className={styles.aside} aria-label={t("preview.title")}>
        <PreviewPanel object={object} complete={complete} />
      </aside>
    </form>
  );
}

/** Whether a path leads to a field of this form. */
function isField(path: string, form: DeploymentForm): path is FieldPath<DeploymentForm> {
  let here: unknown = form;
  for (const step of path.split(".")) {
    if (typeof here !== "object" || here === null || !(step in here)) return false;
    here = Object.entries(here).find(([key]) => key === step)?.[1];
  }
  return true;
}

export function Page() {
  const t = useT();
  const { rows, ready, error, retry } = useRows(clusterList);
  return (
    <PageFrame
      title={t("new.title")}
      subtitle={t("new.subtitle")}
      crumb={{ to: "/federated/deployments.apps", text: t("deployments.title") }}
    >
      {rows.length > 0 ? (
        <NewDeployment fleet={rows} />
      ) : ready ? (
        <Empty
          icon="clusters"
          title={t("new.noClusters.title")}
          action={
            <Link to="/clusters/-/add" className={buttonClass("primary")}>
              <Icon name="plus" />
              {t("clusters.add")}
            </Link>
          }
        >
          {t("new.noClusters.text")}
        </Empty>
      ) : error ? (
        <StatusScreen error={error} onRetry={retry} />
      ) : (
        <Skeleton label={t("clusters.loading")} />
      )}
    </PageFrame>
  );
}
