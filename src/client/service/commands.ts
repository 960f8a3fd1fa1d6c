import type { CustomData, Data, Pushes, Time, UserId } from '../commands.ts';

/* The types of service commands, written by `npm run docs` from their definitions. Do not edit. */

/** The kind of the event. */
export type EventType = "message" | "edit" | "deletion" | "reaction" | "pin" | "groupCreated" | "groupChanged" | "groupDeleted" | "memberAdded" | "memberRemoved" | "memberRole" | "userCreated" | "userUpdated" | "userDisabled" | "userEnabled" | "userDeleted" | "report";

/** nextCursor of a page or of a batch of events. 1 to 16384 characters. */
export type EventCursor = string;

/** A name that you choose for what processes the events: letters, digits, `_`, `.` and `-`. 1 to 64 characters. */
export type Consumer = string;

/** A user: by the id in Parley, or by the one at the host. */
export type UserReference =
  | { readonly userId: UserId; readonly externalId?: never }
  | { readonly externalId: string; readonly userId?: never };

/** An account; null clears a field, omitted fields stay as they are. */
export interface AccountOfHost {
  /** The user at the host, as in the tokens of the host. 1 to 255 characters. */
  externalId: string;
  /** The wanted username. If another user has it, the account gets it with a number behind it. 1 to 64 characters. */
  username?: string;
  /** Shown instead of the username; one line. 1 to 100 characters. */
  displayName?: string | null;
  /** Left as it is if another account has this email: accounts are never joined by it. 0 to 254 characters. */
  email?: string | null;
  /** Location of a picture: a URL, or a key in your storage. 1 to 500 characters. */
  avatar?: string | null;
  custom?: CustomData | null;
  /** A program. */
  isBot?: boolean;
}

/** An account. */
export interface ServiceUser {
  userId: UserId;
  /** The user at the host. */
  externalId: string | null;
  /** The present username; "Deleted user" for a deleted account. */
  username: string;
  /** Shown instead of the username. */
  displayName: string | null;
  /** The email. */
  email: string | null;
  /** Location of a picture. */
  avatar: string | null;
  custom: CustomData | null;
  /** A program. */
  isBot: boolean;
  createdAt: Time;
  /** null unless the account is disabled. */
  disabledAt: string | null;
  /** null unless the account is deleted. */
  deletedAt: string | null;
}

/** Fields of every event. */
export interface EventFields {
  /** Unique among all events. */
  eventId: string;
  type: EventType;
  /** When it happened. */
  time: string;
  /** The group in which it happened. */
  groupId?: number;
  /** The two people of the dialog in which it happened, the lower id first. */
  userIds?: UserId[];
  /** The message; null for an event about a user. */
  seq: number | null;
}

/** An event whose `state` has the params of a push, of which `command` is the type. */
interface EventOf<Command, State> extends EventFields {
  command: Command;
  state: State;
}

type TextName = 'messageInGroup' | 'privateMessage';

/**
 * An event. With `command` `messageInGroup` or `privateMessage` it is a message that a user wrote. In the present state: a
 * message that was deleted since has no content.
 */
export type Event =
  | { [Name in TextName]: EventOf<Name, Omit<Pushes[Name], 'data'>> }[TextName]
  | EventOf<Exclude<keyof Pushes, TextName> | null, Readonly<Record<string, unknown>>>;

export interface UpsertUsersParams {
  /** 1 to 100 items. */
  users: AccountOfHost[];
}

export interface GetUsersParams {
  /** Up to 100 users. 1 to 100 items. */
  users: UserReference[];
}

export interface DisableUsersParams {
  /** Up to 100 users. 1 to 100 items. */
  users: UserReference[];
}

export interface DeleteUsersParams {
  /** Up to 100 users. 1 to 100 items. */
  users: UserReference[];
}

export interface RevokeTokensParams {
  /** Up to 100 users. 1 to 100 items. */
  users: UserReference[];
}

export interface CreateTokenParams {
  user: UserReference;
  /** Default: JWT_EXPIRES_IN of the server. 1 to 31536000. */
  expiresInSeconds?: number;
}

export interface CreateTokenResult {
  /** A token of a user. */
  data: {
    userId: UserId;
    /** JSON Web Token; send it as Authorization: Bearer <token>. */
    token: string;
    /** The token is refused from then on. */
    expiresAt: string;
  };
}

export interface ListEventsParams {
  /** Where to continue. Default: the first event. 1 to 16384 characters. */
  cursor?: string;
  /** True, without cursor: return only a cursor for later. */
  fromNow?: boolean;
  /** Only events of these types. Default: all. 1 to 17 items. */
  types?: EventType[];
  /** Only events of this group. */
  groupId?: number;
  /** Maximum number of events per page. 1 to 1000. Default: 100. */
  limit?: number;
}

export interface ListEventsResult {
  /** The events of the page. */
  data: Event[];
  /** cursor of the next page, or for later. */
  nextCursor: string;
  /** True if there may be another page. */
  more: boolean;
}

export interface SubscribeEventsParams {
  consumer: Consumer;
  /** Only events of these types. Default: all. 1 to 17 items. */
  types?: EventType[];
}

/** Events for a consumer, or the end of its subscription. */
export interface SubscribeEventsPush {
  /** Always null. */
  senderName: null;
  consumer: Consumer;
  /** The events; none at the end of the subscription. */
  data: Event[];
  /** For acknowledgeEvents; null at the end of the subscription. */
  nextCursor: EventCursor | null;
  /** null, or why the subscription has ended. Subscribe again to continue. */
  reason: string | null;
}

export interface AcknowledgeEventsParams {
  consumer: Consumer;
  cursor: EventCursor;
}

export type PingParams = Record<string, never>;

/** The commands by name, each with its params and the `params` of its reply. A `CommonErrorCode` of `@parley-chat/client` may refuse each of them; the other codes are listed. */
export interface ServiceCommands {
  /** Create or change up to 100 accounts by their ids at the host. Accounts that are created have no password: their users connect with tokens of the host, or of `createToken`. Changes are pushed as if the users had made them. */
  upsertUsers: { params: UpsertUsersParams; result: Data<ServiceUser[]> };
  /** Read up to 100 accounts, also disabled and deleted ones; those that do not exist are left out. Refused with TIMEOUT. */
  getUsers: { params: GetUsersParams; result: Data<ServiceUser[]> };
  /** Disable up to 100 accounts: close their connections, and refuse all their tokens. The connections close with 4401 on every node within a second. Operators enable an account again with `admin user enable`. If one of the accounts does not exist or is deleted, nothing is changed. Refused with NOT_FOUND. */
  disableUsers: { params: DisableUsersParams; result: object };
  /** Delete up to 100 accounts, as their users can. Their messages remain under the name "Deleted user". They leave all their groups; if there are many, some of them after the reply. Refused with NOT_FOUND. */
  deleteUsers: { params: DeleteUsersParams; result: object };
  /** Revoke all tokens of up to 100 users that were issued before, and close their connections. The connections close with 4401 on every node within a second. If one of the accounts does not exist or is deleted, nothing is changed. After another error, the tokens of some may be revoked already. Refused with NOT_FOUND. */
  revokeTokens: { params: RevokeTokensParams; result: object };
  /** Make a token with which a user connects: for hosts that have no signed tokens. It is a token as `POST /auth/login` returns it, and is revoked like one. Refused with NOT_FOUND. */
  createToken: { params: CreateTokenParams; result: CreateTokenResult };
  /** Read what has happened in all chats, oldest first, from any place on. While more is true, continue with nextCursor, even if the page is short; then keep nextCursor for later. Refused with CONFLICT, TIMEOUT. */
  listEvents: { params: ListEventsParams; result: ListEventsResult };
  /** Push the events to this connection, in batches, as a named consumer. The pushes begin after the last acknowledgeEvents of the consumer; those of a new consumer with what is committed from now on. Refused with CONFLICT. */
  subscribeEvents: { params: SubscribeEventsParams; result: object };
  /** Confirm that a consumer has processed all events before a cursor. Takes the nextCursor of a batch that was pushed to this connection, and includes the batches before it. NOT_FOUND: there is no such batch; it was pushed to an earlier connection, and is pushed again. Refused with NOT_FOUND, CONFLICT. */
  acknowledgeEvents: { params: AcknowledgeEventsParams; result: object };
  /** Check the connection. */
  ping: { params: PingParams; result: object };
}

/** The `params` of the pushes by name. */
export interface ServicePushes {
  subscribeEvents: SubscribeEventsPush;
}

/** The commands of users that are about their own connection, and cannot be sent for them. */
export type ConnectionCommandName = "subscribePresence" | "unsubscribePresence" | "endSession" | "endOtherSessions";
/** The commands of users by which the owner of a group manages it. */
export type OwnerCommandName = "addUserInGroup" | "deleteMessage" | "pinMessage" | "unpinMessage" | "getGroup" | "updateGroup" | "deleteGroup" | "listGroupMembers" | "setMemberRole" | "transferOwnership" | "removeUserFromGroup" | "banUser" | "unbanUser" | "createInvite" | "listInvites" | "revokeInvite";
