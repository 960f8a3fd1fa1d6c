import { defineConfig } from 'vite';
import { SERVICE_PACKAGE, servicePackage } from './clientPackage.ts';

/** Builds the package of the client for backends. It is not minified: nobody downloads it with a page. */
export default defineConfig({
  build: {
    outDir: SERVICE_PACKAGE,
    copyPublicDir: false,
    minify: false,
    target: 'es2023',
    lib: { entry: { service: 'src/client/service/index.ts' }, formats: ['es'] },
    rolldownOptions: { external: [/^node:/, 'ws'] },
  },
  plugins: [servicePackage()],
});
