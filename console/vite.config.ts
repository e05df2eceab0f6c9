import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

/** Where `vite console` finds a running Tidegate. */
const control = "http://127.0.0.1:7070";

export default defineConfig({
  root: import.meta.dirname,
  plugins: [react()],
  build: {
    outDir: "../dist/console",
    emptyOutDir: true,
    assetsDir: "assets",
    // The content policy of the server allows `data:` for images, and the mark is smaller than a request for it.
    assetsInlineLimit: 4096,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    target: "es2024",
  },
  server: { proxy: { "/api": control, "/login": control } },
});
