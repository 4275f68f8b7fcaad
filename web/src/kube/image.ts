/** The end of an image reference that tells one from another: "registry.example/shop/web:1.2" → "web:1.2". */
export function shortImage(image: string): string {
  const tail = image.slice(image.lastIndexOf("/") + 1);
  const digest = tail.indexOf("@sha256:");
  return digest < 0 ? tail : tail.slice(0, digest + 20);
}
