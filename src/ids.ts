declare const brand: unique symbol;

/**
 * An integer id that the compiler keeps apart from plain numbers and from the ids of other things. Validated params and
 * rows of the database have them; the brand exists at compile time only.
 */
type Id<Of extends string> = number & { readonly [brand]: Of };

export type UserId = Id<'user'>;
export type ChatId = Id<'chat'>;
export type MessageId = Id<'message'>;
export type InviteId = Id<'invite'>;
export type SessionId = Id<'session'>;
/** Counts the connections of this process, in the order they were opened. */
export type ConnectionId = Id<'connection'>;
/** Id of an API key. */
export type KeyId = Id<'key'>;
export type WebhookId = Id<'webhook'>;
