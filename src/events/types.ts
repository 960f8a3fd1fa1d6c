import type { UserId } from '../ids.ts';
import type { ChangeData } from '../messages/messageEvents.ts';
import type { SystemEvent } from '../messages/read.ts';
import type { EventType } from '../protocol/schema/events.ts';

/** A message or a row of `events`, as far as its events are known without their state. */
export interface EventRow {
  readonly id: number;
  readonly createdAt: Date;
  readonly chatId: number | null;
  readonly messageId: number | null;
  readonly userId: UserId | null;
  /** Of a row of `events`; null for a message. */
  readonly type: EventType | null;
  /** Of a system message: its event. Of a row of `events`: its data. Null for a text. */
  readonly data: SystemEvent | Partial<ChangeData & ReportData> | null;
  /** True for the first message of a group, which says that it was created. */
  readonly isFirst: boolean;
}

interface ReportData {
  readonly reportId: number;
}

/** Returns the types of the events of a row, in their order: most rows are one event. */
export function typesOf({ type, data, isFirst }: EventRow): readonly EventType[] {
  if (type !== null) return [type];
  if (data === null) return ['message'];
  const { membership, ...event } = data as SystemEvent & RoleEvent;
  const types: EventType[] = [];
  if (isFirst) types.push('groupCreated');
  if ('group' in event) types.push('groupChanged');
  if (membership?.joined) types.push('memberAdded');
  if (membership?.left) types.push('memberRemoved');
  if (event.role !== undefined || event.ownerId !== undefined || event.type === TRANSFER)
    types.push('memberRole');
  if (membership?.closes) types.push('groupDeleted');
  return types.length > 0 ? types : ['message'];
}

/** System messages that change roles have the role or the new owner, except this one. */
const TRANSFER = 'transferOwnership';

interface RoleEvent {
  readonly role?: string;
  readonly ownerId?: UserId;
}
