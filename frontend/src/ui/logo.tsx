export function Logo({ small }: { small?: boolean }) {
  return (
    <span className="flex items-center gap-2.5 font-semibold tracking-tight">
      <svg viewBox="0 0 32 32" className={small ? "size-7" : "size-8"} aria-hidden>
        <linearGradient id="logo" x2="1" y2="1">
          <stop stopColor="var(--accent)" />
          <stop offset="1" stopColor="var(--accent-2)" />
        </linearGradient>
        <rect width="32" height="32" rx="9" fill="url(#logo)" />
        <path
          d="m9.5 16.8 4.4 4.4 9-10"
          fill="none"
          stroke="#fff"
          strokeWidth="3.4"
          strokeLinecap="round"
          strokeLinejoin="round"
        />
      </svg>
      <span className={small ? "text-base" : "text-xl"}>Todo</span>
    </span>
  );
}
