import { randomInt } from 'node:crypto';
import { takenName } from './account.ts';
import { cut, MAX_USERNAME } from './hostProfile.ts';

/** Attempts to find a free username. */
const ATTEMPTS = 20;
/** Attempts with a small number behind the name; later ones have a random number. */
const SMALL = 3;

/** Returns usernames to try: the wanted one, or a random one, then the same with a number. */
export function usernamesLike(wanted = `user-${randomInt(10 ** 9)}`): [string, ...string[]] {
  const numbered = Array.from({ length: ATTEMPTS - 1 }, (_, index) => {
    const number = index + 2;
    const suffix = `-${number <= SMALL ? number : randomInt(10 ** Math.min(number, 9))}`;
    return cut(wanted, MAX_USERNAME - suffix.length) + suffix;
  });
  return [wanted, ...numbered];
}

/**
 * Writes an account with the first username that is free. An email that another account has is left out: whoever has it at
 * the host must not get that account.
 */
export async function withFreeNames<Username extends string | undefined>(
  [first, ...others]: readonly [Username, ...Username[]],
  email: string | undefined,
  write: (username: Username, email: string | undefined) => Promise<unknown>,
): Promise<void> {
  const usernames = others.values();
  for (let username = first, freeEmail = email; ; )
    try {
      await write(username, freeEmail);
      return;
    } catch (error) {
      const taken = takenName(error);
      const next = taken === 'username' ? usernames.next() : undefined;
      if (taken === 'email' && freeEmail !== undefined) freeEmail = undefined;
      else if (next && !next.done) username = next.value;
      else throw error;
    }
}
