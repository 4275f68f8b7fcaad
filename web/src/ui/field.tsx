import { type InputHTMLAttributes, type ReactNode, type Ref, type SelectHTMLAttributes, useId } from "react";
import styles from "./field.module.css";
import { Icon } from "./icon";

interface Described {
  id: string;
  "aria-describedby"?: string | undefined;
  "aria-invalid"?: true | undefined;
}

interface FieldProps {
  label: ReactNode;
  hint?: ReactNode;
  error?: string | undefined;
  /** Shown after the label of fields that may stay empty. */
  optional?: string | undefined;
  children(described: Described): ReactNode;
}

/** A label, its control, and what is to be said about it. */
export function Field({ label, hint, error, optional, children }: FieldProps) {
  const id = useId();
  const about = [error && `${id}-error`, hint && `${id}-hint`].filter(Boolean).join(" ");
  return (
    <div className={styles.field}>
      <label className={styles.label} htmlFor={id}>
        {label} {optional && <span className={styles.optional}>{optional}</span>}
      </label>
      {children({ id, "aria-describedby": about || undefined, "aria-invalid": error ? true : undefined })}
      {error && (
        <p className={styles.error} id={`${id}-error`}>
          <Icon name="degraded" size={14} />
          <span>{error}</span>
        </p>
      )}
      {hint && (
        <p className={styles.hint} id={`${id}-hint`}>
          {hint}
        </p>
      )}
    </div>
  );
}

interface TextFieldProps extends Omit<InputHTMLAttributes<HTMLInputElement>, "children"> {
  label: ReactNode;
  hint?: ReactNode;
  error?: string | undefined;
  optional?: string | undefined;
  mono?: boolean;
  ref?: Ref<HTMLInputElement>;
}

export function TextField({ label, hint, error, optional, mono = false, ...input }: TextFieldProps) {
  return (
    <Field label={label} hint={hint} error={error} optional={optional}>
      {(described) => (
        <input
          spellCheck={false}
          autoComplete="off"
          {...input}
          {...described}
          className={mono ? styles.monoInput : styles.input}
        />
      )}
    </Field>
  );
}

interface SelectProps extends SelectHTMLAttributes<HTMLSelectElement> {
  options: readonly (readonly [value: string, text: string])[];
  ref?: Ref<HTMLSelectElement>;
}

/** The browser's own list: right on phones and for screen readers without a byte of code. */
export function Select({ options, ...select }: SelectProps) {
  return (
    <span className={styles.select}>
      <select {...select} className={styles.input}>
        {options.map(([value, text]) => (
          <option key={value} value={value}>
            {text}
          </option>
        ))}
      </select>
      <Icon name="down" size={14} />
    </span>
  );
}

interface CheckboxProps extends Omit<InputHTMLAttributes<HTMLInputElement>, "type"> {
  label: ReactNode;
  hint?: ReactNode;
  ref?: Ref<HTMLInputElement>;
}

export function Checkbox({ label, hint, ...input }: CheckboxProps) {
  return (
    <label className={styles.check}>
      <input {...input} type="checkbox" />
      <span>
        <span className={styles.checkLabel}>{label}</span>
        {hint && <span className={styles.hint}>{hint}</span>}
      </span>
    </label>
  );
}

export function Radio({ label, hint, ...input }: CheckboxProps) {
  return (
    <label className={styles.check}>
      <input {...input} type="radio" />
      <span>
        <span className={styles.checkLabel}>{label}</span>
        {hint && <span className={styles.hint}>{hint}</span>}
      </span>
    </label>
  );
}

export const inputClass = styles.input;
export const monoInputClass = styles.monoInput;
