import clsx from "clsx";
import type { ComponentProps } from "react";

type Look = "primary" | "secondary" | "ghost" | "danger";

const looks: Record<Look, string> = {
  primary: "bg-linear-to-r from-accent to-accent-2 text-white shadow-sm hover:brightness-110",
  secondary: "border border-line bg-surface text-ink hover:bg-hover",
  ghost: "text-muted hover:bg-hover hover:text-ink",
  danger: "bg-danger-soft text-danger hover:brightness-95",
};

/** A button's classes, for links that look like one. */
export function buttonClass(look: Look = "secondary", size: "sm" | "md" | "lg" = "md") {
  return clsx(
    "inline-flex shrink-0 items-center justify-center gap-2 rounded-lg font-medium whitespace-nowrap transition select-none",
    "disabled:pointer-events-none disabled:opacity-60",
    size === "sm" && "h-8 px-2.5 text-[0.8125rem] pointer-coarse:h-11",
    size === "md" && "h-9 px-3.5 text-sm pointer-coarse:h-11",
    size === "lg" && "h-11 px-5 text-[0.9375rem]",
    looks[look],
  );
}

type Props = ComponentProps<"button"> & { look?: Look; size?: "sm" | "md" | "lg" };

export function Button({ look, size, className, ...rest }: Props) {
  return <button type="button" {...rest} className={clsx(buttonClass(look, size), className)} />;
}

/** A square button that is only an icon; `label` says what it does. */
export function IconButton({ label, className, ...rest }: ComponentProps<"button"> & { label: string }) {
  return (
    <button
      type="button"
      aria-label={label}
      {...rest}
      className={clsx(
        "inline-flex size-8 shrink-0 items-center justify-center rounded-lg text-muted transition hover:bg-hover hover:text-ink",
        "disabled:pointer-events-none disabled:opacity-50 pointer-coarse:size-11 [&_svg]:size-[1.125rem]",
        className,
      )}
    />
  );
}
