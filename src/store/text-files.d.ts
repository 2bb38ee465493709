/** Files that are imported as their text (`with { type: "text" }`): compiled binaries carry them inside. */

declare module "*.sql" {
  const text: string;
  export = text;
}
declare module "*.proto" {
  const text: string;
  export = text;
}
declare module "*.bt" {
  const text: string;
  export = text;
}
declare module "*.md" {
  const text: string;
  export = text;
}
