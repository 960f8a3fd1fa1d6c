import { execSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

/* Runs `npm run build` if a source has changed since the last build. A package that is installed has no sources. */

const SOURCES = ['src', 'web', 'package.json', 'package-lock.json', 'tsconfig.json'];
/** The file that a build writes last. */
const BUILT = 'dist/web/index.html';

/**
 * Returns the paths of a file, or of a folder with all that is in it: the time of a folder shows what was deleted there.
 * @param {string} path
 */
function pathsOf(path) {
  if (!statSync(path).isDirectory()) return [path];
  return [path, ...readdirSync(path, { recursive: true, encoding: 'utf8' }).map((name) => join(path, name))];
}

function isOutdated() {
  if (!existsSync('src')) return false;
  if (!existsSync(BUILT)) return true;
  const built = statSync(BUILT).mtimeMs;
  return SOURCES.filter((path) => existsSync(path))
    .flatMap(pathsOf)
    .some((path) => statSync(path).mtimeMs > built);
}

if (isOutdated()) {
  console.log('Building; the first time takes up to a minute.');
  try {
    execSync('npm run build', { stdio: 'inherit' });
  } catch {
    process.exit(1); // the build has printed why
  }
}
