import { BelongsTo, Column, DataType, Model, Table } from 'sequelize-typescript';
import type { ChatId, MessageId, UserId } from '../../ids.ts';
import type { CustomData } from '../../protocol/schema/types.ts';
import { User } from './User.ts';

/** A message in a chat. Only the message writer inserts. */
@Table({ tableName: 'messages' })
export class Message extends Model {
  @Column({ type: DataType.BIGINT, primaryKey: true })
  declare chatId: ChatId;

  /** 1, 2, 3 … without a gap in each chat, in commit order. */
  @Column({ type: DataType.BIGINT, primaryKey: true })
  declare seq: number;

  @Column(DataType.BIGINT)
  declare id: MessageId;

  @Column(DataType.BIGINT)
  declare senderId: UserId;

  @BelongsTo(() => User, { foreignKey: 'senderId', constraints: false })
  declare sender: User;

  @Column(DataType.TEXT)
  declare kind: 'text' | 'system';

  @Column(DataType.TEXT)
  declare content: string;

  @Column(DataType.BIGINT)
  declare replyTo: MessageId | null;

  @Column(DataType.TEXT)
  declare clientMessageId: string | null;

  /** True if it does not count as unread. */
  @Column(DataType.BOOLEAN)
  declare silent: boolean;

  /** The integrator's own data; of a system message, the event. */
  @Column(DataType.JSONB)
  declare custom: CustomData | null;

  @Column(DataType.ARRAY(DataType.BIGINT))
  declare mentions: UserId[] | null;

  /** The original author. */
  @Column(DataType.BIGINT)
  declare forwardedFrom: UserId | null;

  /** The number of reactions by emoji. */
  @Column(DataType.JSONB)
  declare reactions: Record<string, number> | null;

  /** `tally` of the chat including this message. */
  @Column(DataType.BIGINT)
  declare tally: number;

  /** Number of changes; null for none. */
  @Column(DataType.INTEGER)
  declare version: number | null;

  @Column(DataType.DATE)
  declare createdAt: Date;

  @Column(DataType.DATE)
  declare editedAt: Date | null;

  @Column(DataType.DATE)
  declare deletedAt: Date | null;
}
