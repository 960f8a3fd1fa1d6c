import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

const server = process.env.PARLEY_URL ?? 'http://localhost:3000';
/** @param {string} file */
const built = (file) => fileURLToPath(new URL(`../../dist/package/${file}`, import.meta.url));

/** Serves the example beside a running Parley. Outside of this repository, install the package and leave out `resolve`. */
export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  resolve: {
    alias: [
      { find: /^@parley-chat\/client$/, replacement: built('client.js') },
      { find: /^@parley-chat\/client\/react$/, replacement: built('react.js') },
    ],
  },
  server: {
    proxy: {
      '/auth': server,
      '/users': server,
      '/ws': { target: server, ws: true },
    },
  },
});
