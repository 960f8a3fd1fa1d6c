import { dictionary } from '@zxcvbn-ts/language-common';
import { preparePassword } from '../text/opaqueString.ts';

/** Entries of the list of leaked passwords, most common first, that are refused. */
const RANKS = 1_000;

const common = new Set(dictionary['passwords-common'].slice(0, RANKS));

/** Returns true if a password is one of the thousand most common ones, which attackers try first. Case is ignored. */
export const isCommonPassword = (password: string): boolean =>
  common.has(preparePassword(password).toLowerCase());
