import { Column, DataType, Model, Table } from 'sequelize-typescript';
import type { MessageId } from '../../ids.ts';

/** The content of a message before an edit. */
@Table({ tableName: 'message_edits' })
export class MessageEdit extends Model {
  @Column({ type: DataType.BIGINT, primaryKey: true })
  declare messageId: MessageId;

  /** 1 is the content as sent. */
  @Column({ type: DataType.INTEGER, primaryKey: true })
  declare version: number;

  @Column(DataType.TEXT)
  declare content: string;

  /** The time at which this version was written. */
  @Column(DataType.DATE)
  declare createdAt: Date;
}
