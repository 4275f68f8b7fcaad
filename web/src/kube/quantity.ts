// Kubernetes quantities: "250m", "1.5Gi", "2e3".

const SUFFIXES: Record<string, number> = {
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  "": 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
};

const PATTERN = /^([+-]?(?:\d+\.?\d*|\.\d+))(?:([eE][+-]?\d+)|([numkMGTPE]|[KMGTPE]i))?$/;

/** The quantity's value, or undefined when the text is no quantity. */
export function parseQuantity(text: string): number | undefined {
  const match = PATTERN.exec(text.trim());
  if (!match) return undefined;
  const [, digits = "", exponent = "", suffix = ""] = match;
  const factor = SUFFIXES[suffix];
  if (factor === undefined) return undefined;
  return Number(digits + exponent) * factor;
}

/** Whether this can be a request or a limit: a quantity that is not negative. */
export function isAmount(text: string): boolean {
  const value = parseQuantity(text);
  return value !== undefined && value >= 0;
}
