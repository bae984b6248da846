// The page as three files with fixed names, so that the server's routes are fixed too. `npm run dev` serves the sources
// and takes the data from a `slipway serve` on its usual port.
import { defineConfig } from "vite";

export default defineConfig({
  esbuild: { jsx: "automatic", jsxImportSource: "preact" },
  build: {
    target: "es2020",
    modulePreload: false,
    cssCodeSplit: false,
    assetsInlineLimit: 0,
    rollupOptions: {
      output: { entryFileNames: "page.js", assetFileNames: "page[extname]", inlineDynamicImports: true },
    },
  },
  server: { proxy: { "/api": "http://127.0.0.1:8080" } },
});
