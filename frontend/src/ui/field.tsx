import clsx from "clsx";
import { useId, type ComponentProps, type ReactNode } from "react";

/** The classes of whatever text is typed into. */
export const inputClass =
  "border-edge/60 bg-surface text-ink w-full rounded-lg border px-3 text-[0.9375rem] transition " +
  "hover:border-edge focus:border-accent-ink focus:outline-2 focus:-outline-offset-1 focus:outline-accent-ink " +
  "aria-invalid:border-danger pointer-coarse:text-base";

type Props = ComponentProps<"input"> & { label: string; hint?: ReactNode; error?: string };

/** What stands under a field: its error, or else its hint. */
export function Note({ id, hint, error }: { id: string; hint?: ReactNode; error?: string }) {
  if (!error && !hint) return null;
  return (
    <p
      id={id}
      role={error ? "alert" : undefined}
      className={clsx("text-[0.8125rem]", error ? "text-danger" : "text-muted")}
    >
      {error ?? hint}
    </p>
  );
}

/** A labelled line of text with its hint and its error. */
export function Field({ label, hint, error, className, ...rest }: Props) {
  const id = useId();
  return (
    <div className="space-y-1.5">
      <label htmlFor={id} className="block text-sm font-medium">
        {label}
      </label>
      <input
        id={id}
        aria-invalid={error ? true : undefined}
        aria-describedby={error || hint ? `${id}-note` : undefined}
        {...rest}
        className={clsx(inputClass, "h-10 pointer-coarse:h-11", className)}
      />
      <Note id={`${id}-note`} hint={hint} error={error} />
    </div>
  );
}

type ChoiceProps = {
  label: string;
  hint?: ReactNode;
  error?: string;
  value: string;
  options: readonly { value: string; label: string }[];
  onChange: (value: string) => void;
};

/** One of a few, with its hint and its error. */
export function Choice({ label, hint, error, value, options, onChange }: ChoiceProps) {
  const id = useId();
  return (
    <div className="space-y-1.5">
      <label htmlFor={id} className="block text-sm font-medium">
        {label}
      </label>
      <select
        id={id}
        value={value}
        aria-invalid={error ? true : undefined}
        aria-describedby={error || hint ? `${id}-note` : undefined}
        onChange={(event) => onChange(event.target.value)}
        className={clsx(inputClass, "h-10 pointer-coarse:h-11")}
      >
        {options.map((option) => (
          <option key={option.value} value={option.value}>
            {option.label}
          </option>
        ))}
      </select>
      <Note id={`${id}-note`} hint={hint} error={error} />
    </div>
  );
}
