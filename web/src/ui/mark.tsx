/** The product's mark: an atoll, a ring with one opening. */
export function Mark({ size = 22 }: { size?: number }) {
  return (
    <svg aria-hidden="true" width={size} height={size} viewBox="0 0 32 32" fill="none">
      <rect width="32" height="32" rx="8" fill="var(--accent)" />
      <path d="M22.6 9.4A9.3 9.3 0 1 0 25.2 17" stroke="var(--on-accent)" strokeWidth="3" strokeLinecap="round" />
      <circle cx="24.6" cy="12.2" r="1.9" fill="var(--on-accent)" opacity="0.75" />
      <circle cx="16" cy="16" r="2.6" fill="var(--on-accent)" opacity="0.75" />
    </svg>
  );
}
