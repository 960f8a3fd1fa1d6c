import { Column, DataType, Model, Table } from 'sequelize-typescript';
import type { ChatId, UserId } from '../../ids.ts';
import type { CustomData } from '../../protocol/schema/types.ts';

/** A dialog of two people or a group. */
@Table({ tableName: 'chats' })
export class Chat extends Model {
  @Column({ type: DataType.BIGINT, primaryKey: true, autoIncrement: true })
  declare id: ChatId;

  @Column(DataType.TEXT)
  declare kind: 'dialog' | 'group';

  /** Null for a dialog. */
  @Column(DataType.TEXT)
  declare name: string | null;

  /** The folded name, see `foldedGroup`: unique among public groups. */
  @Column(DataType.TEXT)
  declare nameFolded: string | null;

  /** The name folded for search. */
  @Column(DataType.TEXT)
  declare nameSearch: string | null;

  /** The pair of a dialog, lower id first; null for a group. */
  @Column(DataType.BIGINT)
  declare userLow: UserId | null;

  @Column(DataType.BIGINT)
  declare userHigh: UserId | null;

  @Column(DataType.BOOLEAN)
  declare isPrivate: boolean;

  @Column(DataType.TEXT)
  declare description: string | null;

  @Column(DataType.JSONB)
  declare custom: CustomData | null;

  @Column(DataType.TEXT)
  declare whoMayAdd: 'members' | 'admins';

  @Column(DataType.TEXT)
  declare whoMayPost: 'members' | 'admins';

  /** Seconds between two messages of one member; 0 for none. */
  @Column(DataType.INTEGER)
  declare slowModeSeconds: number;

  /** The start of the history for new members. */
  @Column(DataType.TEXT)
  declare historyFrom: 'beginning' | 'joining';

  @Column(DataType.INTEGER)
  declare memberCount: number;

  /** Incremented by each change of members, roles and rules. */
  @Column(DataType.BIGINT)
  declare rulesVersion: number;

  /** The time at which the group was deleted or its last member left. */
  @Column(DataType.DATE)
  declare closedAt: Date | null;

  /** Number of messages so far that count as unread. */
  @Column(DataType.BIGINT)
  declare tally: number;

  @Column(DataType.BIGINT)
  declare createdBy: UserId;

  /** `seq` of the newest message; 0 before the first. */
  @Column(DataType.BIGINT)
  declare lastSeq: number;

  @Column(DataType.DATE)
  declare lastMessageAt: Date;

  @Column(DataType.DATE)
  declare createdAt: Date;
}
