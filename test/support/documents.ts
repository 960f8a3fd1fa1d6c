import { readFile } from 'node:fs/promises';

/** Returns the text under a heading of a document. */
export async function section(path: string, title: string): Promise<string> {
  const text = await readFile(path, 'utf8');
  return text.split(/^## /m).find((part) => part.startsWith(`${title}\n`)) ?? '';
}

/** Returns the shell commands in a text, as a reader copies them. */
export const commandsIn = (text: string) =>
  [...text.matchAll(/^```sh\n(.*?)^```/gms)].map(([, lines]) => lines).join('\n');
