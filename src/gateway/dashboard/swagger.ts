/**
 * Starts Swagger UI on the page at /swagger. The library is bundled into the page's own files, so nothing comes from
 * another origin at run time, and no script stands in the page itself.
 */
import SwaggerUI from "swagger-ui-dist/swagger-ui-es-bundle.js";

// Swagger UI has a dark theme, but waits to be told.
const dark = matchMedia("(prefers-color-scheme: dark)");
const applyTheme = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
dark.addEventListener("change", applyTheme);
applyTheme();

SwaggerUI({
  dom_id: "#swagger-ui",
  url: "/openapi.json",
  deepLinking: true,
  tryItOutEnabled: true,
  displayRequestDuration: true,
  defaultModelsExpandDepth: -1,
  // The validator would send the description to a stranger.
  validatorUrl: null,
});
