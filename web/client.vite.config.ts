import { readFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';
import { defineConfig, type Plugin } from 'vite';
import { CLIENT_LIMIT } from './clientLimit.ts';
import { compress } from './compress.ts';

/** Fails the build if the client is larger than the limit. */
function limit(): Plugin {
  return {
    name: 'limit',
    async writeBundle() {
      const bytes = gzipSync(await readFile('dist/browser/client.js'), { level: 9 }).length;
      const size = `The client has ${bytes} bytes compressed, of ${CLIENT_LIMIT} at most`;
      if (bytes > CLIENT_LIMIT) throw new Error(`${size}: shorten src/client by ${bytes - CLIENT_LIMIT}`);
      this.info(size);
    },
  };
}

/** Builds the client as one file for browsers, which the server serves as /client.js. */
export default defineConfig({
  build: {
    outDir: 'dist/browser',
    copyPublicDir: false,
    lib: { entry: 'src/client/index.ts', formats: ['es'], fileName: () => 'client.js' },
    rolldownOptions: {
      optimization: { inlineConst: { mode: 'all' } },
      output: { minify: true, comments: false },
    },
  },
  plugins: [limit(), compress('dist/browser')],
});
