import { readFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';
import { defineConfig, type Plugin } from 'vite';
import { compress } from './compress.ts';

/** Maximum bytes of the client, minified and compressed. */
const LIMIT = 10 * 1024;

/** Fails the build if the client is larger than the limit. */
function limit(): Plugin {
  return {
    name: 'limit',
    async writeBundle() {
      const bytes = gzipSync(await readFile('dist/browser/client.js'), { level: 9 }).length;
      if (bytes > LIMIT) throw new Error(`The client has ${bytes} bytes compressed, over ${LIMIT}`);
      this.info(`The client has ${bytes} bytes compressed`);
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
