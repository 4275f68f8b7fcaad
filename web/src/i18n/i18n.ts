import { setupI18n } from "@lingui/core";
import { useLingui } from "@lingui/react";
import type { MessageId, Messages } from "./ids";

export const LOCALES = { en: "English", "zh-CN": "简体中文" } as const;
export type Locale = keyof typeof LOCALES;

const STORAGE = "atoll.locale";
export const i18n = setupI18n();

const CATALOGS: Record<Locale, () => Promise<{ messages: Record<string, string> }>> = {
  en: () => import("./en.json?catalog"),
  "zh-CN": () => import("./zh-CN.json?catalog"),
};

/** The language chosen before, else the first of the browser's that we speak. */
export function preferredLocale(): Locale {
  const wishes = [localStorage.getItem(STORAGE) ?? "", ...navigator.languages];
  for (const wish of wishes) {
    if (/^en\b/i.test(wish)) return "en";
    if (/^zh\b/i.test(wish)) return "zh-CN";
  }
  return "en";
}

export async function activate(locale: Locale) {
  const { messages } = await CATALOGS[locale]();
  i18n.loadAndActivate({ locale, messages });
  document.documentElement.lang = locale;
}

export async function chooseLocale(locale: Locale) {
  localStorage.setItem(STORAGE, locale);
  await activate(locale);
}

type Values<Id extends MessageId> = Messages[Id] extends undefined ? [] : [values: Messages[Id]];

/** The message in the current language. */
export function t<Id extends MessageId>(id: Id, ...[values]: Values<Id>): string {
  return i18n._(id, values);
}

export type Translate = typeof t;

/** `t` for components: renders again when the language changes. */
export function useT(): Translate {
  useLingui();
  return t;
}
