import { dictionary } from '@zxcvbn-ts/language-common';
import { preparePassword } from '../text/opaqueString.ts';

/** How far down the list of leaked passwords, most common first, one must not choose from. */
const RANKS = 1_000;

const common = new Set(dictionary['passwords-common'].slice(0, RANKS));

/** Whether a password is among the thousand that people, and so guessers, choose first; case does not matter. */
export const isCommonPassword = (password: string): boolean =>
  common.has(preparePassword(password).toLowerCase());
