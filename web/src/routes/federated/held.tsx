import { useNavigate, useParams } from "@tanstack/react-router";
import { useT } from "../../i18n/i18n";
import { PageFrame } from "../../shell/page";
import { HoldCard } from "./hold-card";

/** One change that waits for an answer. */
export function Page() {
  const t = useT();
  const navigate = useNavigate();
  const { id } = useParams({ from: "/signed-in/federated/held/$id" });
  return (
    <PageFrame
      title={t("hold.page.title")}
      subtitle={t("hold.page.subtitle")}
      crumb={{ to: "/federated", text: t("types.title") }}
    >
      <HoldCard id={id} onAnswered={() => void navigate({ to: "/federated" })} />
    </PageFrame>
  );
}
