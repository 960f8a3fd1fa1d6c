import type { Command } from '../commands/define.ts';
export function asyncapiDocument(_c: ReadonlyMap<string, Command>): string {
  return '';
}
