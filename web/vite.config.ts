import { defineConfig } from 'vite';
import { compress } from './compress.ts';

/** Builds the page; `npx vite web` serves it during development, beside a running server. */
export default defineConfig({
  base: './', // the page may have any path behind a proxy
  build: {
    outDir: '../dist/web',
    emptyOutDir: true,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  plugins: [compress('dist/web')],
  server: {
    proxy: {
      '/auth': 'http://localhost:3000',
      '/users': 'http://localhost:3000',
      '/ws': { target: 'http://localhost:3000', ws: true },
    },
  },
});
