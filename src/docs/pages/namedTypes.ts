import type { TSchema } from 'typebox';
import { ChatRow } from '../../protocol/schema/chats.ts';
import { Group, Invite } from '../../protocol/schema/groups.ts';
import { Edit, Event, HistoryRow, Message } from '../../protocol/schema/messages.ts';
import { Presence, Profile } from '../../protocol/schema/people.ts';
import { Change } from '../../protocol/schema/sync.ts';

/** A type that several commands have in common, or that is too large for the page of its command. */
export interface NamedType {
  readonly name: string;
  readonly summary: string;
  readonly schema: TSchema;
}

export const namedTypes: readonly NamedType[] = [
  { name: 'Message', summary: 'A message as commands answer it.', schema: Message },
  { name: 'Event', summary: 'The event of a system message, for programs.', schema: Event },
  {
    name: 'HistoryRow',
    summary: 'A message in the spelling of `getlatestMessageDialog` and `getlatestMessageGroup`.',
    schema: HistoryRow,
  },
  { name: 'Edit', summary: 'An earlier version of a message.', schema: Edit },
  { name: 'ChatRow', summary: 'A chat by its newest message, as its user sees it.', schema: ChatRow },
  { name: 'Group', summary: 'A group as its user sees it.', schema: Group },
  { name: 'Invite', summary: 'An invite to a group.', schema: Invite },
  { name: 'Profile', summary: 'The public properties of a user.', schema: Profile },
  { name: 'Presence', summary: 'Whether a user is online.', schema: Presence },
  {
    name: 'Change',
    summary: 'A change that `sync` returns: one of the kinds below, always in the present state.',
    schema: Change,
  },
];
