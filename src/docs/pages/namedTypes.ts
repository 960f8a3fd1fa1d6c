import { ChatRow } from '../../protocol/schema/chats.ts';
import { Group, Invite } from '../../protocol/schema/groups.ts';
import { Edit, Event, HistoryRow, Message } from '../../protocol/schema/messages.ts';
import { Presence, Profile } from '../../protocol/schema/people.ts';
import { Change } from '../../protocol/schema/sync.ts';
import type { NamedType } from '../typeNames.ts';

/** The types that several commands have in common, or that are too large for the page of their command. */
export const namedTypes: readonly NamedType[] = [
  Message,
  Event,
  HistoryRow,
  Edit,
  ChatRow,
  Group,
  Invite,
  Profile,
  Presence,
  Change,
];
