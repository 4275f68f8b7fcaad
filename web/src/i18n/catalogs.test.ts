import { setupI18n } from "@lingui/core";
import { describe, expect, it } from "vitest";
import { placeholders } from "../../scripts/placeholders.mjs";
import en from "./en.json";
import zh from "./zh-CN.json";
import { messages as compiled } from "./zh-CN.json?catalog";

const pairs = Object.entries(en);
const chinese: Record<string, string> = zh;

describe("the catalogs", () => {
  it("have the same ids", () => {
    expect(Object.keys(zh).sort()).toEqual(Object.keys(en).sort());
  });

  it.each(pairs)("%s is translated, with the same placeholders", (id, text) => {
    expect(text.trim()).not.toBe("");
    expect(chinese[id]?.trim()).toBeTruthy();
    expect(placeholders(chinese[id] ?? "")).toEqual(placeholders(text));
  });

  it("ids are in order, so that two changes rarely meet on one line", () => {
    expect(Object.keys(en)).toEqual(Object.keys(en).toSorted());
  });

  it("plurals and values work in the compiled form", () => {
    const i18n = setupI18n({ locale: "zh-CN", messages: { "zh-CN": compiled } });
    expect(i18n._("clusters.count", { count: 3 })).toBe("3 个集群");
    expect(i18n._("federated.totals", { ready: "2", desired: "5", count: 2 })).toBe("2/5 就绪，共 2 个集群");
  });
});
