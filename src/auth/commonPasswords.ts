import { preparePassword } from '../text/opaqueString.ts';

/** Entries of the list of leaked passwords, most common first, that are refused. */
const RANKS = 1_000;

let common: Promise<ReadonlySet<string>> | undefined;

/** Resolves to true for one of the thousand most common passwords, which attackers try first. Case is ignored. */
export async function isCommonPassword(password: string): Promise<boolean> {
  common ??= load();
  return (await common).has(preparePassword(password).toLowerCase());
}

async function load(): Promise<ReadonlySet<string>> {
  const { dictionary } = await import('@zxcvbn-ts/language-common');
  return new Set(dictionary['passwords-common'].slice(0, RANKS));
}
