/** The one function of swagger-ui-dist that is used; the package brings no types. */

declare module "swagger-ui-dist/swagger-ui-es-bundle.js" {
  type SwaggerUIOptions = {
    readonly dom_id: string;
    readonly url: string;
    readonly deepLinking: boolean;
    readonly tryItOutEnabled: boolean;
    readonly displayRequestDuration: boolean;
    readonly defaultModelsExpandDepth: number;
    readonly validatorUrl: null;
  };
  function SwaggerUI(options: SwaggerUIOptions): unknown;
  export = SwaggerUI;
}
