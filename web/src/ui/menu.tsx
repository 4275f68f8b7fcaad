import { Menu as Base } from "@base-ui/react/menu";
import { type ReactElement, type ReactNode, useRef } from "react";
import { Icon, type IconName } from "./icon";
import styles from "./menu.module.css";

interface MenuProps {
  trigger: ReactElement;
  align?: "start" | "end";
  children: ReactNode;
}

export function Menu({ trigger, align = "end", children }: MenuProps) {
  // The popup stands in the landmark of its button, so that nothing on the page is outside all of them.
  const landmark = useRef<HTMLElement>(null);
  return (
    <Base.Root modal={false}>
      <Base.Trigger
        render={trigger}
        ref={(button: HTMLElement | null) => {
          landmark.current = button?.closest<HTMLElement>("main") ?? button?.closest("header") ?? null;
        }}
      />
      <Base.Portal container={landmark} className={styles.portal}>
        <Base.Positioner className={styles.positioner} align={align} sideOffset={6}>
          <Base.Popup className={styles.popup}>{children}</Base.Popup>
        </Base.Positioner>
      </Base.Portal>
    </Base.Root>
  );
}

interface MenuItemProps {
  icon?: IconName;
  danger?: boolean;
  onSelect(): void;
  children: ReactNode;
}

export function MenuItem({ icon, danger = false, onSelect, children }: MenuItemProps) {
  return (
    <Base.Item className={danger ? styles.dangerItem : styles.item} onClick={onSelect}>
      {icon && <Icon name={icon} />}
      {children}
    </Base.Item>
  );
}

interface MenuChoiceProps<T extends string> {
  label: string;
  value: T;
  options: readonly { value: T; text: string; icon?: IconName; lang?: string }[];
  onChoose(value: T): void;
}

/** One of several, with the present one ticked. */
export function MenuChoice<T extends string>({ label, value, options, onChoose }: MenuChoiceProps<T>) {
  return (
    <Base.RadioGroup value={value} onValueChange={onChoose} aria-label={label}>
      {options.map((option) => (
        <Base.RadioItem key={option.value} value={option.value} className={styles.item} closeOnClick lang={option.lang}>
          {option.icon && <Icon name={option.icon} />}
          <span className={styles.choice}>{option.text}</span>
          <Base.RadioItemIndicator>
            <Icon name="check" />
          </Base.RadioItemIndicator>
        </Base.RadioItem>
      ))}
    </Base.RadioGroup>
  );
}

export function MenuSeparator() {
  return <Base.Separator className={styles.separator} />;
}

export function MenuHeading({ children }: { children: ReactNode }) {
  return <div className={styles.heading}>{children}</div>;
}
