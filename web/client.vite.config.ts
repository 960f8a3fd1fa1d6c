import { readFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';
import { defineConfig, type Plugin } from 'vite';
import { CLIENT_LIMIT } from './clientLimit.ts';
import { breakLines, clientPackage, importClient, PACKAGE, SERVED, serve } from './clientPackage.ts';
import { compress } from './compress.ts';

/** Fails the build if the client is larger than the limit. */
function limit(): Plugin {
  return {
    name: 'limit',
    async writeBundle() {
      const bytes = gzipSync(await readFile(`${PACKAGE}/client.js`), { level: 9 }).length;
      const size = `The client has ${bytes} bytes compressed, of ${CLIENT_LIMIT} at most`;
      if (bytes > CLIENT_LIMIT) throw new Error(`${size}: shorten src/client by ${bytes - CLIENT_LIMIT}`);
      this.info(size);
    },
  };
}

/** Builds the package of the client. The server serves its parts for browsers, /client.js and /client.d.ts. */
export default defineConfig({
  build: {
    outDir: PACKAGE,
    copyPublicDir: false,
    lib: {
      entry: { client: 'src/client/index.ts', node: 'src/client/node.ts', react: 'src/client/react.ts' },
      formats: ['es'],
      fileName: (_, name) => `${name}.js`,
    },
    rolldownOptions: {
      external: ['node:module', 'react'],
      optimization: { inlineConst: { mode: 'all' } },
      output: {
        minify: {
          compress: true,
          mangle: { keepNames: { class: true, function: false } }, // Node prints the class of an error
          codegen: { removeWhitespace: true },
        },
        comments: false,
        // For frameworks with components of the server: these are of the client.
        banner: ({ name }) => (name === 'react' ? "'use client';" : ''),
      },
    },
  },
  plugins: [importClient(), breakLines(), limit(), clientPackage(), serve(), compress(SERVED)],
});
