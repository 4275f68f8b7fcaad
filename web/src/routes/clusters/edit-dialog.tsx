import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { editCluster } from "../../api/queries/clusters";
import type { Cluster, ClusterRole } from "../../api/types";
import { useT } from "../../i18n/i18n";
import { SaveDialog } from "../../shell/save-dialog";
import { Field, Select, TextField } from "../../ui/field";
import { showToast } from "../../ui/toast";

export function EditDialog({ cluster, onClose }: { cluster: Cluster; onClose(): void }) {
  const t = useT();
  const [alias, setAlias] = useState(cluster.alias ?? "");
  const [description, setDescription] = useState(cluster.description ?? "");
  const [provider, setProvider] = useState(cluster.provider ?? "");
  const [region, setRegion] = useState(cluster.region ?? "");
  const [role, setRole] = useState<ClusterRole>(cluster.role);
  const save = useMutation({
    mutationFn: () =>
      editCluster(cluster.name, {
        alias: alias.trim() || null,
        description: description.trim() || null,
        provider: provider.trim() || null,
        region: region.trim() || null,
        ...(role !== cluster.role && { role }),
      }),
    onSuccess: () => {
      showToast({ tone: "ok", text: t("cluster.saved", { name: cluster.name }) });
      onClose();
    },
  });
  return (
    <SaveDialog title={t("cluster.edit.title", { name: cluster.name })} save={save} onClose={onClose}>
      <TextField
        label={t("cluster.alias")}
        optional={t("field.optional")}
        maxLength={63}
        value={alias}
        onChange={(event) => setAlias(event.target.value)}
      />
      <TextField
        label={t("cluster.description")}
        optional={t("field.optional")}
        maxLength={256}
        value={description}
        onChange={(event) => setDescription(event.target.value)}
      />
      <TextField
        label={t("cluster.provider")}
        optional={t("field.optional")}
        maxLength={63}
        value={provider}
        onChange={(event) => setProvider(event.target.value)}
      />
      <TextField
        label={t("cluster.region")}
        optional={t("field.optional")}
        maxLength={63}
        value={region}
        onChange={(event) => setRegion(event.target.value)}
      />
      <Field label={t("cluster.role")} hint={t("cluster.role.hint")}>
        {(described) => (
          <Select
            {...described}
            value={role}
            options={[
              ["member", t("cluster.role.member")],
              ["host", t("cluster.role.host")],
            ]}
            onChange={(event) => setRole(event.target.value === "host" ? "host" : "member")}
          />
        )}
      </Field>
    </SaveDialog>
  );
}
