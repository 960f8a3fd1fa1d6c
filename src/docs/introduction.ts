import { readFileSync } from 'node:fs';

/** Returns docs/protocol.md without its title: the document that includes it has one. */
export function introduction(): string {
  const protocol = readFileSync(new URL('../../docs/protocol.md', import.meta.url), 'utf8');
  return protocol.replace(/^# .*\n+/, '').trimEnd();
}
