import { ApiError, LimitError } from '../protocol/errors.ts';
import type { MessageDraft } from './drafts.ts';

/** Reasons why a message is not stored. */
export type RefusalReason =
  | 'OTHER_CHAT'
  | 'NO_CHAT'
  | 'NOT_A_MEMBER'
  | 'BLOCKED'
  | 'NOT_POSTING'
  | 'NO_ORIGINAL'
  | 'SLOW_MODE'
  /** The message has an `ifSeq` and would not be the one after it. */
  | 'NOT_NEXT'
  /** The chat changed between the check and the lock on it, in a way that may matter: the message is checked again. */
  | 'STALE';

/** A message that is not stored. */
export interface Refusal {
  readonly reason: RefusalReason;
  /** Seconds until the sender may write again in slow mode. */
  readonly seconds?: number;
  /** Of `NOT_NEXT`: the current `seq` of the chat. */
  readonly seq?: number;
}

/** A message whose permission must be checked again. */
export const STALE: Refusal = { reason: 'STALE' };

export const isStale = (result: object): boolean => 'reason' in result && result.reason === 'STALE';

/** Returns the error with which a refused message is answered. */
export function refusalFor(
  { reason, seconds = 1, seq = 0 }: Refusal,
  { to, extras }: MessageDraft,
): ApiError {
  switch (reason) {
    case 'OTHER_CHAT':
      return new ApiError('CONFLICT', 'This clientMessageId is already used for a message in another chat');
    case 'NO_CHAT':
      return new ApiError(
        'NOT_FOUND',
        'groupId' in to ? `There is no group ${to.groupId}` : `There is no user ${to.receiverId}`,
      );
    case 'NOT_A_MEMBER':
      return new ApiError('NOT_A_MEMBER');
    case 'BLOCKED':
      return new ApiError('FORBIDDEN');
    case 'NOT_POSTING':
      return new ApiError('FORBIDDEN', 'Only admins may write in this group');
    case 'STALE':
      return new ApiError('UNAVAILABLE', 'The group is being changed; retry');
    case 'NO_ORIGINAL':
      return new ApiError('NOT_FOUND', `There is no message ${extras?.replyTo} in this chat to reply to`);
    case 'SLOW_MODE':
      return new LimitError(
        'slowMode',
        'RATE_LIMITED',
        `This group is in slow mode; write again in ${seconds} s`,
        seconds,
      );
    case 'NOT_NEXT':
      return new ApiError(
        'CONFLICT',
        `The newest message of this chat has seq ${seq}, not ${extras?.ifSeq}`,
        undefined,
        seq,
      );
  }
}
