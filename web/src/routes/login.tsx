import { useNavigate, useSearch } from "@tanstack/react-router";
import { type KeyboardEvent, type SubmitEvent, useEffect, useState } from "react";
import { signIn } from "../api/queries/session";
import { statusOf } from "../api/status";
import type { Status } from "../api/types";
import { formatWait } from "../i18n/format";
import { useT } from "../i18n/i18n";
import { nextPath } from "../next-path";
import { beginSession, sessionEnd } from "../session";
import { DisplaySelects } from "../shell/display-selects";
import { StatusNote } from "../shell/status-note";
import { Note } from "../ui/badge";
import { Button } from "../ui/button";
import { TextField } from "../ui/field";
import { Mark } from "../ui/mark";
import styles from "./login.module.css";

/** Seconds left until another try is allowed. */
function useCountdown(): [left: number, start: (seconds: number) => void] {
  const [until, setUntil] = useState(0);
  const [now, setNow] = useState(0);
  const left = Math.max(0, Math.ceil((until - now) / 1000));
  useEffect(() => {
    if (until === 0) return;
    const timer = setInterval(() => setNow(Date.now()), 250);
    return () => clearInterval(timer);
  }, [until]);
  return [
    left,
    (seconds) => {
      setNow(Date.now());
      setUntil(Date.now() + seconds * 1000);
    },
  ];
}

function Failure({ status, left }: { status: Status; left: number }) {
  const t = useT();
  if (status.reason === "Unauthorized")
    return (
      <Note tone="bad" role="alert">
        <strong>{t("login.wrong")}</strong>
      </Note>
    );
  if (status.reason === "TooManyRequests")
    return (
      <Note tone="warn" role="alert">
        <strong>{t("login.locked")}</strong>
        {left > 0 && <span aria-live="off">{t("status.retryAfter", { time: formatWait(left) })}</span>}
      </Note>
    );
  return <StatusNote error={status} />;
}

export function Page() {
  const t = useT();
  const navigate = useNavigate();
  const { next } = useSearch({ from: "/login" });
  const [username, setUsername] = useState("");
  const [password, setPassword] = useState("");
  const [capsLock, setCapsLock] = useState(false);
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<Status>();
  const [left, startCountdown] = useCountdown();

  useEffect(() => {
    document.title = t("page.title", { page: t("login.title") });
  }, [t]);

  const noticeCapsLock = (event: KeyboardEvent) => setCapsLock(event.getModifierState("CapsLock"));

  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    setBusy(true);
    setFailure(undefined);
    try {
      const { key } = await signIn(username.trim(), password);
      beginSession(key);
      await navigate({ href: nextPath(next, location.origin), replace: true });
    } catch (error) {
      const status = statusOf(error);
      setFailure(status);
      setPassword("");
      if (status.details?.retryAfterSeconds) startCountdown(status.details.retryAfterSeconds);
    } finally {
      setBusy(false);
    }
  };

  const missing = username.trim() === "" || password === "";
  return (
    <div className={styles.screen}>
      <svg className={styles.rings} viewBox="0 0 800 800" aria-hidden="true" fill="none" stroke="currentColor">
        {[110, 170, 240, 320, 390].map((radius) => (
          <circle key={radius} cx="400" cy="400" r={radius} pathLength="100" strokeDasharray="86 14" />
        ))}
      </svg>
      <header className={styles.tools}>
        <DisplaySelects />
      </header>
      <main className={styles.main}>
        <div className={styles.brand}>
          <Mark size={44} />
          <h1>{t("login.title")}</h1>
          <p>{t("login.subtitle")}</p>
        </div>
        <form className={styles.card} onSubmit={(event) => void submit(event)} noValidate>
          {failure ? (
            <Failure status={failure} left={left} />
          ) : (
            sessionEnd() === "expired" && (
              <Note tone="info" role="status">
                {t("login.expired")}
              </Note>
            )
          )}
          <TextField
            label={t("login.username")}
            name="username"
            autoComplete="username"
            autoCapitalize="none"
            autoFocus
            required
            value={username}
            onChange={(event) => setUsername(event.target.value)}
          />
          <TextField
            label={t("login.password")}
            name="password"
            type="password"
            autoComplete="current-password"
            required
            value={password}
            hint={capsLock ? t("login.capsLock") : undefined}
            onKeyUp={noticeCapsLock}
            onChange={(event) => setPassword(event.target.value)}
          />
          <Button
            kind="primary"
            type="submit"
            busy={busy}
            reason={
              left > 0 ? t("status.retryAfter", { time: formatWait(left) }) : missing ? t("login.missing") : undefined
            }
          >
            {t("login.submit")}
          </Button>
        </form>
      </main>
    </div>
  );
}
