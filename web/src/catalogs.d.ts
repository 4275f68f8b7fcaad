declare module "*.json?catalog" {
  export const messages: Record<string, string>;
}
