import {
  findUsers,
  isDisabled,
  noUser,
  type ReferencedUser,
  type UserReference,
} from '../accounts/userReferences.ts';
import { batched } from '../database/batched.ts';
import type { Queries } from '../database/database.ts';
import type { UserId } from '../ids.ts';
import { lruCache } from '../lruCache.ts';

/** Users that one query reads. */
const MAX_BATCH = 200;

/** Identifiers at the host whose users are remembered. */
const MAX_KNOWN = 100_000;

/** The users as whom the service connections of a node act. */
export class ActingUsers {
  readonly #users: { load(reference: UserReference): Promise<ReferencedUser | undefined> };
  readonly #known = lruCache<string, UserId>(MAX_KNOWN);

  constructor(db: Queries) {
    this.#users = batched((references: readonly UserReference[]) => findUsers(db, references), MAX_BATCH);
  }

  /** Returns the id of a user, at once if it is known. Rejects with `NOT_FOUND` if there is none. */
  idOf(reference: UserReference): UserId | Promise<UserId> {
    const { userId, externalId = '' } = reference;
    return userId ?? this.#known.get(externalId) ?? this.#find(reference, externalId);
  }

  async #find(reference: UserReference, externalId: string): Promise<UserId> {
    const user = await this.#users.load(reference);
    if (!user) throw noUser(reference);
    this.#known.set(externalId, user.id);
    return user.id;
  }

  /**
   * Resolves to the reason why nobody may act as a user, whom the reference named before; undefined if there is none.
   */
  async refusalOf(reference: UserReference, id: UserId): Promise<unknown> {
    try {
      const user = await this.#users.load(reference);
      if (user?.id === id && !user.isDeleted) return user.isDisabled ? isDisabled() : undefined;
      if (reference.externalId !== undefined) this.#known.delete(reference.externalId); // it may get another account
      return noUser(reference);
    } catch (error) {
      return error;
    }
  }
}
