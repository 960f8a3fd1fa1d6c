import { existsSync } from 'node:fs';

/**
 * Possible paths of Chromium; `CHROMIUM` sets another one. The headless shell comes first: it is the same browser without
 * its user interface, and takes about half of the CPU.
 */
const CANDIDATES = [
  process.env.CHROMIUM ?? '',
  '/usr/bin/chromium-headless-shell',
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];

/** Returns the path of the Chromium of this machine; undefined if there is none. */
export const findChromium = (): string | undefined => CANDIDATES.find((path) => existsSync(path));
