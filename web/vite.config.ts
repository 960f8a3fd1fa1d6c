import preact from '@preact/preset-vite';
import { defineConfig } from 'vite';
import { compress } from './compress.ts';

/** The page; while it is developed, `npx vite web` beside a running server. */
export default defineConfig({
  base: './', // behind a proxy it may be anywhere
  build: {
    outDir: '../dist/web',
    emptyOutDir: true,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  plugins: [preact(), compress('dist/web')],
  server: {
    proxy: {
      '/auth': 'http://localhost:3000',
      '/users': 'http://localhost:3000',
      '/ws': { target: 'http://localhost:3000', ws: true },
    },
  },
});
