import {
  findUsers,
  isDisabled,
  noUser,
  type OwnerReference,
  type ReferencedUser,
} from '../accounts/userReferences.ts';
import { batched } from '../database/batched.ts';
import type { Queries } from '../database/database.ts';
import type { UserId } from '../ids.ts';
import { lruCache } from '../lruCache.ts';
import { ApiError } from '../protocol/errors.ts';
import type { ActingReference } from './actingReference.ts';

/** Users that one query reads. */
const MAX_BATCH = 200;

/** Identifiers at the host whose users are remembered. */
const MAX_KNOWN = 100_000;

/** The users as whom the service connections of a node act. */
export class ActingUsers {
  readonly #users: { load(reference: ActingReference): Promise<ReferencedUser | undefined> };
  readonly #known = lruCache<string, UserId>(MAX_KNOWN);

  constructor(db: Queries) {
    this.#users = batched((references: readonly ActingReference[]) => findUsers(db, references), MAX_BATCH);
  }

  /** Returns the id of a user, at once if it is known. Rejects with `NOT_FOUND` if there is none. */
  idOf(reference: ActingReference): UserId | Promise<UserId> {
    if (isOfOwner(reference)) return this.#find(reference);
    const { userId, externalId = '' } = reference;
    return userId ?? this.#known.get(externalId) ?? this.#find(reference);
  }

  async #find(reference: ActingReference): Promise<UserId> {
    const user = await this.#users.load(reference);
    if (!user) throw notFound(reference);
    if ('externalId' in reference && reference.externalId) this.#known.set(reference.externalId, user.id);
    return user.id;
  }

  /**
   * Resolves to the reason why nobody may act as a user, whom the reference named before; undefined if there is none. The
   * owner of a group may be disabled: the group is managed all the same.
   */
  async refusalOf(reference: ActingReference, id: UserId): Promise<unknown> {
    try {
      const user = await this.#users.load(reference);
      if (isOfOwner(reference)) return refusalOfOwner(reference, user, id);
      if (user?.id === id && !user.isDeleted) return user.isDisabled ? isDisabled() : undefined;
      if (reference.externalId !== undefined) this.#known.delete(reference.externalId); // it may get another account
      return noUser(reference);
    } catch (error) {
      return error;
    }
  }
}

const isOfOwner = (reference: ActingReference): reference is OwnerReference =>
  'groupId' in reference || 'messageId' in reference;

/** The reason why the owner of a group is not the user for whom a command has waited for its turn. */
function refusalOfOwner(
  reference: OwnerReference,
  user: ReferencedUser | undefined,
  id: UserId,
): ApiError | undefined {
  if (!user) return notFound(reference);
  return user.id === id
    ? undefined
    : new ApiError('UNAVAILABLE', 'The group has another owner since a moment ago; try again', 1);
}

const notFound = (reference: ActingReference): ApiError =>
  isOfOwner(reference) ? noGroup(reference) : noUser(reference);

const noGroup = ({ groupId, messageId }: OwnerReference): ApiError =>
  new ApiError(
    'NOT_FOUND',
    groupId === undefined ? `There is no message ${messageId} in a group` : `There is no group ${groupId}`,
  );
