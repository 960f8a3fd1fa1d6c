import { existsSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

/** Returns the URL of a file in `dist`; fails with the command that makes it. */
export function builtFile(path: string): URL {
  if (!existsSync(path)) throw new Error(`${path} is missing: run \`npm run build\` first`);
  return pathToFileURL(path);
}
