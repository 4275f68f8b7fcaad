import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatBytes, formatCpu } from "../i18n/format";
import { i18n } from "../i18n/i18n";
import { isAmount, parseQuantity } from "./quantity";

describe("quantities", () => {
  it.each([
    ["250m", 0.25],
    ["1", 1],
    ["1.5Gi", 1.5 * 2 ** 30],
    [".5", 0.5],
    ["2e3", 2000],
    ["1E", 1e18],
    ["100k", 100_000],
    ["-1", -1],
  ])("%s is %d", (text, value) => {
    expect(parseQuantity(text)).toBeCloseTo(value, 9);
  });

  it.each(["", "m", "1 Gi", "1gi", "1KiB", "Gi", "1..2", "0x10", "one"])("%j is no quantity", (text) => {
    expect(parseQuantity(text)).toBeUndefined();
  });

  it("a whole number with any suffix is that many times the suffix", () => {
    const factors = { "": 1, k: 1e3, Ki: 1024, Mi: 1024 ** 2, G: 1e9 };
    fc.assert(
      fc.property(fc.nat(1_000_000), fc.constantFrom(...Object.entries(factors)), (count, [suffix, factor]) => {
        expect(parseQuantity(`${count}${suffix}`)).toBe(count * factor);
      }),
    );
  });

  it("a request may be zero but not negative", () => {
    expect(isAmount("0")).toBe(true);
    expect(isAmount("-1")).toBe(false);
  });
});

describe("capacity in words", () => {
  it("memory is shown in binary units and processors in cores", () => {
    i18n.loadAndActivate({ locale: "en", messages: {} });
    expect(formatBytes(0)).toBe("0 B");
    expect(formatBytes(1536 * 2 ** 20)).toBe("1.5 GiB");
    expect(formatBytes(96 * 2 ** 30)).toBe("96 GiB");
    expect(formatCpu(250)).toBe("0.25");
    expect(formatCpu(192_000)).toBe("192");
  });

  it("numbers follow the language", () => {
    i18n.loadAndActivate({ locale: "de", messages: {} });
    expect(formatCpu(1500)).toBe("1,5");
  });
});
