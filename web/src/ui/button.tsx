import type { ButtonHTMLAttributes, Ref } from "react";
import styles from "./button.module.css";
import { Icon, type IconName } from "./icon";

interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  kind?: "primary" | "default" | "quiet" | "danger";
  size?: "default" | "small";
  icon?: IconName | undefined;
  /** Under way: shown as such, and pressing again does nothing. */
  busy?: boolean;
  /** Why it may not be pressed; the button stays focusable so that the reason can be found. */
  reason?: string | undefined;
  ref?: Ref<HTMLButtonElement>;
}

export function Button({
  kind = "default",
  size = "default",
  icon,
  busy = false,
  reason,
  children,
  className,
  onClick,
  type = "button",
  ...rest
}: ButtonProps) {
  const off = busy || reason !== undefined;
  return (
    <button
      {...rest}
      type={type}
      title={reason ?? rest.title}
      aria-disabled={off || undefined}
      aria-busy={busy || undefined}
      className={[buttonClass(kind, size), className].filter(Boolean).join(" ")}
      onClick={off ? (event) => event.preventDefault() : onClick}
    >
      {busy ? <Icon name="spinner" spin /> : icon && <Icon name={icon} />}
      {children}
    </button>
  );
}

/** The same look for a link. */
export function buttonClass(kind: ButtonProps["kind"] = "default", size: ButtonProps["size"] = "default"): string {
  return [styles.button, styles[kind], size === "small" && styles.small].filter(Boolean).join(" ");
}

interface IconButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  icon: IconName;
  label: string;
  ref?: Ref<HTMLButtonElement>;
}

export function IconButton({ icon, label, className, type = "button", ...rest }: IconButtonProps) {
  return (
    <button
      {...rest}
      type={type}
      className={[styles.square, className].filter(Boolean).join(" ")}
      aria-label={label}
      title={label}
    >
      <Icon name={icon} />
    </button>
  );
}
