import styles from "./icon.module.css";

/** Path data on a 16 × 16 grid, drawn with a stroke of 1.5. */
const ICONS = {
  check: ["M3.5 8.5l3 3 6-7"],
  ready: ["M8 1.75a6.25 6.25 0 1 0 0 12.5a6.25 6.25 0 0 0 0-12.5", "M5.25 8.25l2 2 3.5-4"],
  degraded: ["M8 2.25L14.25 13.5H1.75z", "M8 6.5v3", "M8 11.5v.01"],
  offline: ["M5.4 1.75h5.2l3.65 3.65v5.2l-3.65 3.65H5.4L1.75 10.6V5.4z", "M6 6l4 4", "M10 6l-4 4"],
  pending: ["M8 1.75a6.25 6.25 0 1 0 0 12.5a6.25 6.25 0 0 0 0-12.5"],
  info: ["M8 1.75a6.25 6.25 0 1 0 0 12.5a6.25 6.25 0 0 0 0-12.5", "M8 7.5v3.5", "M8 5v.01"],
  idle: ["M8 1.75a6.25 6.25 0 1 0 0 12.5a6.25 6.25 0 0 0 0-12.5", "M5.25 8h5.5"],
  spinner: ["M8 1.75A6.25 6.25 0 0 1 14.25 8"],
  close: ["M4 4l8 8", "M12 4l-8 8"],
  plus: ["M8 3v10", "M3 8h10"],
  minus: ["M3 8h10"],
  more: ["M8 3.5v.01", "M8 8v.01", "M8 12.5v.01"],
  search: ["M7 2.5a4.5 4.5 0 1 0 0 9a4.5 4.5 0 0 0 0-9", "M10.5 10.5l3 3"],
  copy: ["M5.75 5.75h7.5v7.5h-7.5z", "M10.25 3.25v-.5h-7.5v7.5h.5"],
  download: ["M8 2.5v8", "M4.75 7.5L8 10.75 11.25 7.5", "M2.5 13.5h11"],
  upload: ["M8 10.5v-8", "M4.75 5.5L8 2.25 11.25 5.5", "M2.5 13.5h11"],
  trash: ["M2.75 4.25h10.5", "M6 4V2.5h4V4", "M4 4.5l.6 9h6.8l.6-9"],
  edit: ["M3 13l.6-2.9L10.8 3l2.2 2.2-7.1 7.2z", "M9.3 4.5l2.2 2.2"],
  key: ["M5.25 7.5a3 3 0 1 0 0 6a3 3 0 0 0 0-6", "M7.4 8.4L13.25 2.5", "M10.75 5l2 2"],
  user: ["M8 2.25a2.75 2.75 0 1 0 0 5.5a2.75 2.75 0 0 0 0-5.5", "M2.75 14c.4-3 2.4-4.5 5.25-4.5S12.85 11 13.25 14"],
  globe: [
    "M8 1.75a6.25 6.25 0 1 0 0 12.5a6.25 6.25 0 0 0 0-12.5",
    "M1.9 8h12.2",
    "M8 1.75c-4 4-4 8.5 0 12.5",
    "M8 1.75c4 4 4 8.5 0 12.5",
  ],
  sun: [
    "M8 5a3 3 0 1 0 0 6a3 3 0 0 0 0-6",
    "M8 1.25v1.25M8 13.5v1.25M1.25 8H2.5M13.5 8h1.25M3.2 3.2l.9.9M11.9 11.9l.9.9M3.2 12.8l.9-.9M11.9 4.1l.9-.9",
  ],
  moon: ["M13.5 9.6A5.75 5.75 0 0 1 6.4 2.5a5.75 5.75 0 1 0 7.1 7.1z"],
  screen: ["M1.75 2.75h12.5v8.5H1.75z", "M5.5 14h5"],
  signOut: ["M6.5 2.5h-4v11h4", "M10.25 4.75L13.5 8l-3.25 3.25", "M6 8h7.5"],
  down: ["M4 6.25L8 10l4-3.75"],
  right: ["M6.25 4L10 8l-3.75 4"],
  up: ["M4 9.75L8 6l4 3.75"],
  clusters: [
    "M2.5 2.5h4.25v4.25H2.5z",
    "M9.25 2.5h4.25v4.25H9.25z",
    "M2.5 9.25h4.25v4.25H2.5z",
    "M9.25 9.25h4.25v4.25H9.25z",
  ],
  workloads: ["M8 1.75l5.5 3v6.5L8 14.25l-5.5-3v-6.5z", "M2.75 4.9L8 7.75l5.25-2.85", "M8 7.75v6.25"],
  scale: ["M2.5 13.5v-4h3v4z", "M6.5 13.5v-7h3v7z", "M10.5 13.5v-11h3v11z"],
  image: ["M2 5.25h12v8.25H2z", "M4 2.75h8", "M6.5 9.4h3"],
  refresh: ["M13.25 6.5A5.5 5.5 0 1 0 13.5 8.9", "M13.5 2.75V6.5H9.75"],
  menu: ["M2.5 4.5h11", "M2.5 8h11", "M2.5 11.5h11"],
  lock: ["M3.5 7.25h9v6.25h-9z", "M5.5 7V5a2.5 2.5 0 0 1 5 0v2"],
  star: ["M8 2l1.8 3.8 4.2.5-3.1 2.9.8 4.1L8 11.2l-3.7 2.1.8-4.1L2 6.3l4.2-.5z"],
} as const;

export type IconName = keyof typeof ICONS;

interface IconProps {
  name: IconName;
  size?: number;
  spin?: boolean;
  dashed?: boolean;
}

/** Decoration only: the meaning stands in the text beside it or in the control's name. */
export function Icon({ name, size = 16, spin = false, dashed = false }: IconProps) {
  return (
    <svg
      aria-hidden="true"
      className={spin ? styles.spin : styles.icon}
      width={size}
      height={size}
      viewBox="0 0 16 16"
      fill="none"
      stroke="currentColor"
      strokeWidth={name === "more" ? 2.2 : 1.5}
      strokeLinecap="round"
      strokeLinejoin="round"
      strokeDasharray={dashed ? "2.6 2.3" : undefined}
    >
      {ICONS[name].map((d) => (
        <path key={d} d={d} />
      ))}
    </svg>
  );
}
