import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { labelsPatch, parseLabel } from "./labels";

describe("a label", () => {
  it.each([
    ["region=eu", ["region", "eu"]],
    ["  region = eu ", ["region", "eu"]],
    ["gold", ["gold", ""]],
    ["app.kubernetes.io/part-of=pay", ["app.kubernetes.io/part-of", "pay"]],
  ])("%j is read", (text, expected) => {
    expect(parseLabel(text)).toEqual(expected);
  });

  it.each(["", "=eu", "a=b=c", "region=e u", "-x=1", "Bad_Domain/x=1", "region=<img>", `k=${"v".repeat(64)}`])(
    "%j is refused",
    (text) => {
      expect(parseLabel(text)).toBeUndefined();
    },
  );
});

describe("the patch between two sets of labels", () => {
  const labels = fc.dictionary(fc.constantFrom("a", "b", "c"), fc.constantFrom("1", "2", ""));

  it("merged over the first gives the second", () => {
    fc.assert(
      fc.property(labels, labels, (before, after) => {
        const merged = { ...before, ...labelsPatch(before, after) };
        const kept = Object.entries(merged).filter(([, value]) => value !== null);
        expect(Object.fromEntries(kept)).toEqual({ ...after });
      }),
    );
  });
});
