import { spawnSync } from 'node:child_process';

/** Returns true if a program is installed; `question` is what it answers with its version. */
export const isInstalled = (program: string, question = '--version'): boolean =>
  spawnSync(program, [question]).status === 0;
