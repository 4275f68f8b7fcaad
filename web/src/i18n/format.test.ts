import { beforeAll, describe, expect, it } from "vitest";
import { compareNames, formatBytes, formatCpu, formatList, formatMillis, formatRelative, formatWait } from "./format";
import { i18n } from "./i18n";

const NOW = Date.parse("2026-11-25T12:00:00Z");
const ago = (seconds: number) => formatRelative(new Date(NOW - seconds * 1000).toISOString(), NOW);
const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

beforeAll(() => i18n.loadAndActivate({ locale: "en", messages: {} }));

describe("a relative time", () => {
  it.each([
    [0, "now"],
    [4, "now"],
    [-3, "now"],
    [42, "42 sec. ago"],
    [59 * MINUTE, "59 min. ago"],
    [25 * HOUR, "1 day ago"],
    [45 * DAY, "1 mo. ago"],
    [700 * DAY, "1 yr. ago"],
    [-5 * DAY, "in 5 days"],
  ])("of %d seconds ago is %j", (seconds, expected) => {
    expect(ago(seconds)).toBe(expected);
  });

  it("of something that is no time is a dash", () => {
    expect(formatRelative("yesterday", NOW)).toBe("–");
  });
});

describe("a wait", () => {
  it.each([
    [1, "1 second"],
    [59, "59 seconds"],
    [60, "1:00"],
    [872, "14:32"],
    [3605, "1:00:05"],
  ])("of %d seconds is %j", (seconds, expected) => {
    expect(formatWait(seconds)).toBe(expected);
  });
});

describe("amounts", () => {
  it("of time never claim that something took none", () => {
    expect([0, 1, 1500].map(formatMillis)).toEqual(["< 1 ms", "1 ms", "1,500 ms"]);
  });

  it("of processor time are cores", () => {
    expect([50, 1500, 16_000, 96_000].map(formatCpu)).toEqual(["0.05", "1.5", "16", "96"]);
  });

  it("of memory are in binary units, with a fraction only where it says something", () => {
    expect([0, 1023, 1536, 64 * 2 ** 30, 2 ** 60].map(formatBytes)).toEqual([
      "0 B",
      "1,023 B",
      "1.5 KiB",
      "64 GiB",
      "1,024 PiB",
    ]);
  });
});

describe("names", () => {
  it("are ordered as a reader counts", () => {
    expect(["eu-10", "eu-2", "Eu-1"].sort(compareNames)).toEqual(["Eu-1", "eu-2", "eu-10"]);
  });

  it("in a row are joined in the language's way", () => {
    expect(formatList(["eu-1", "us-1", "ap-1"])).toBe("eu-1, us-1, & ap-1");
  });
});
