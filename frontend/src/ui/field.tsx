import clsx from "clsx";
import { useId, type ComponentProps, type ReactNode } from "react";

/** The classes of whatever text is typed into. */
export const inputClass =
  "border-edge/60 bg-surface text-ink w-full rounded-lg border px-3 text-[0.9375rem] transition " +
  "hover:border-edge focus:border-accent-ink focus:outline-2 focus:-outline-offset-1 focus:outline-accent-ink " +
  "aria-invalid:border-danger pointer-coarse:text-base";

type Props = ComponentProps<"input"> & { label: string; hint?: ReactNode; error?: string };

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
      {(error || hint) && (
        <p
          id={`${id}-note`}
          role={error ? "alert" : undefined}
          className={clsx("text-[0.8125rem]", error ? "text-danger" : "text-muted")}
        >
          {error ?? hint}
        </p>
      )}
    </div>
  );
}
