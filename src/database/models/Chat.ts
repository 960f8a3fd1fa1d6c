import { Column, DataType, Model, Table } from 'sequelize-typescript';
import type { ChatId, UserId } from '../../ids.ts';

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

  /** The pair of a dialog, lower id first; null for a group. */
  @Column(DataType.BIGINT)
  declare userLow: UserId | null;

  @Column(DataType.BIGINT)
  declare userHigh: UserId | null;

  @Column(DataType.BOOLEAN)
  declare isPrivate: boolean;

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
