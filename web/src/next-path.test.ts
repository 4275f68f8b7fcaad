import { expect, it } from "vitest";
import { nextPath } from "./next-path";

const ORIGIN = "https://hub.example:8080";

it.each(["/clusters/eu-1?tab=a#b", "/federated/deployments.apps"])("%s is a page of this console", (path) => {
  expect(nextPath(path, ORIGIN)).toBe(path);
});

it.each([
  undefined,
  "",
  "https://evil.example/",
  "//evil.example/x",
  "/\\evil.example",
  "/\t/evil.example",
  "javascript:alert(1)",
  "clusters",
])("%j leads home, not elsewhere", (wanted) => {
  expect(nextPath(wanted, ORIGIN)).toBe("/clusters");
});
