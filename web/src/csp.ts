/** The nonce that the server wrote into this page, for libraries that must insert a style element. */
export function nonce(): string | undefined {
  return document.querySelector<HTMLMetaElement>('meta[property="csp-nonce"]')?.nonce || undefined;
}
