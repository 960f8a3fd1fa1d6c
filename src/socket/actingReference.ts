import { Type } from 'typebox';
import type { OwnerReference, UserReference } from '../accounts/userReferences.ts';
import type { Request } from '../protocol/frames.ts';
import { UserReference as Reference } from '../protocol/schema/service.ts';
import { IdOfGroup, IdOfMessage } from '../protocol/schema/types.ts';
import { compileValidator } from '../protocol/validator.ts';

/** The user as whom a service connection sends a command. */
export type ActingReference = UserReference | OwnerReference;

/** The value of `as` that stands for the owner of the group that a command is about. */
const OWNER = 'owner';

export const isOwner = ({ as }: Request): boolean => as === OWNER;

const readReference = compileValidator(Reference, 'as');
const readGroup = compileValidator(Type.Object({ groupId: IdOfGroup }), 'params');
const readMessage = compileValidator(Type.Object({ messageId: IdOfMessage }), 'params');

/** Reads the acting user of a request; throws `BAD_REQUEST` if it is not named in one of the possible forms. */
export function actingReference(request: Request): ActingReference {
  const { as, params } = request;
  if (!isOwner(request)) return readReference(as);
  const isAboutMessage = typeof params === 'object' && params !== null && 'messageId' in params;
  return isAboutMessage
    ? { messageId: readMessage(params).messageId }
    : { groupId: readGroup(params).groupId };
}
