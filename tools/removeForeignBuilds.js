import { readdirSync, rmSync } from 'node:fs';

/*
 * uWebSockets.js comes with a build for every platform and version of Node: more than 250 MB. After an installation,
 * this keeps those that this machine can use with the versions of Node that Parley supports.
 */

/** Versions of the binary interface (`process.versions.modules`) of Node 20, 22 and 24. */
const INTERFACES = [115, 127, 137];

const folder = new URL('../node_modules/uWebSockets.js/', import.meta.url);
const own = INTERFACES.map((version) => `uws_${process.platform}_${process.arch}_${version}.node`);
for (const file of readdirSync(folder))
  if (file.endsWith('.node') && !own.includes(file)) rmSync(new URL(file, folder));
