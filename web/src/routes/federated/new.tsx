import { zodResolver } from "@hookform/resolvers/zod";
import { useMutation, useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { type FieldPath, useForm } from "react-hook-form";
import { clusterList } from "../../api/queries/clusters";
import { createFederated, DEPLOYMENTS, pathOf, typesQuery } from "../../api/queries/federated";
import { statusOf } from "../../api/status";
import type { Cluster, FederatedCreated, FederatedType } from "../../api/types";
import { formatList } from "../../i18n/format";
import { useT } from "../../i18n/i18n";
import { buildDeployment, type DeploymentForm, formField } from "../../kube/federated-deployment";
import { kindOf, pluralOf, starterYaml } from "../../kube/kinds";
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
import { YamlForm } from "./yaml-form";

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

/** Says what was made, and shows it. */
function useCreated() {
  const t = useT();
  const navigate = useNavigate();
  return async ({ summary, created }: FederatedCreated) => {
    const others = created.filter((each) => each.kind !== summary.kind).map((each) => `${each.kind} ${each.name}`);
    showToast({
      tone: "ok",
      text: t("new.created", { name: summary.name }),
      detail: others.length ? t("join.created", { objects: formatList(others) }) : undefined,
    });
    await navigate({ to: "/federated/$resource/$namespace/$name", params: pathOf(summary) });
  };
}

function NewByYaml({ type, fleet }: { type: FederatedType; fleet: readonly Cluster[] }) {
  const t = useT();
  const navigate = useNavigate();
  const { resource } = type;
  const shown = useCreated();
  const create = useMutation({ mutationFn: (text: string) => createFederated(resource, text), onSuccess: shown });
  const ready = fleet.filter((cluster) => cluster.state === "Ready").map((cluster) => cluster.name);
  return (
    <YamlForm
      initial={starterYaml(type, ready)}
      submit={t("new.create", { kind: type.target.kind })}
      pending={create.isPending}
      error={create.error}
      onSubmit={create.mutate}
      onCancel={() => void navigate({ to: "/federated/$resource", params: { resource } })}
    />
  );
}

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

  const shown = useCreated();
  const create = useMutation({
    mutationFn: (checked: DeploymentForm) => createFederated(DEPLOYMENTS, buildDeployment(checked)),
    onSuccess: shown,
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
          <Button onClick={() => void navigate({ to: "/federated/$resource", params: { resource: DEPLOYMENTS } })}>
            {t("action.cancel")}
          </Button>
          <Button kind="primary" type="submit" busy={create.isPending}>
            {t("new.create", { kind: "Deployment" })}
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
  const { resource } = useParams({ from: "/signed-in/federated/$resource/new" });
  const { as } = useSearch({ from: "/signed-in/federated/$resource/new" });
  const { rows, ready, error, retry } = useRows(clusterList);
  const types = useQuery(typesQuery);
  const type = types.data?.find((each) => each.resource === resource);
  const kind = kindOf(type, resource);
  const hasForm = resource === DEPLOYMENTS;
  const content = () => {
    if (hasForm && as !== "yaml") return <NewDeployment fleet={rows} />;
    if (type) return <NewByYaml type={type} fleet={rows} />;
    if (types.error) return <StatusScreen error={types.error} onRetry={() => void types.refetch()} />;
    return types.data ? (
      <Empty icon="search" title={t("types.gone.title", { resource })} />
    ) : (
      <Skeleton label={t("types.loading")} />
    );
  };
  return (
    <PageFrame
      title={t("new.title", { kind })}
      subtitle={t("new.subtitle")}
      crumb={{ to: "/federated/$resource", params: { resource }, text: t("objects.title", { kinds: pluralOf(kind) }) }}
      actions={
        hasForm && (
          <Link
            to="/federated/$resource/new"
            params={{ resource }}
            search={as === "yaml" ? {} : { as: "yaml" }}
            className={buttonClass()}
          >
            {t(as === "yaml" ? "new.asForm" : "new.asYaml")}
          </Link>
        )
      }
    >
      {rows.length > 0 ? (
        content()
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
