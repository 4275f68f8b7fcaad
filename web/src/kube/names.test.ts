import fc from "fast-check";
import { expect, it } from "vitest";
import { isDnsLabel, isImage, suggestName } from "./names";

it("a suggested cluster name is a DNS label or empty, whatever the context is called", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme", maxLength: 120 }), (text) => {
      const name = suggestName(text);
      expect(name === "" || isDnsLabel(name)).toBe(true);
    }),
  );
  expect(suggestName("arn:aws:eks:eu-central-1:1234:cluster/prod_EU")).toBe("prod-eu");
  expect(suggestName("kubernetes-admin@eu-1")).toBe("eu-1");
});

it.each([
  ["nginx", true],
  ["nginx:1.27", true],
  ["registry.example:5000/shop/web:1.0", true],
  [`web@sha256:${"a".repeat(64)}`, true],
  ["nginx 1.27", false],
  ["https://nginx", false],
  ["nginx:", false],
])("image %s: %s", (text, valid) => {
  expect(isImage(text)).toBe(valid);
});
