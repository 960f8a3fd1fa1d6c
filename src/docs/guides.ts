import { readFileSync } from 'node:fs';

/** The documents that the server shows. */
export type Guide = 'client' | 'service-client' | 'protocol';

/** Returns a document of `docs` without its title: the page that shows it has one. */
export function guide(name: Guide): string {
  const text = readFileSync(new URL(`../../docs/${name}.md`, import.meta.url), 'utf8');
  return text.replace(/^# .*\n+/, '').trimEnd();
}

export const protocol = (): string => guide('protocol');
