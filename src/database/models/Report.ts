import { Column, DataType, Model, Table } from 'sequelize-typescript';
import type { MessageId, UserId } from '../../ids.ts';

/** That a user finds a message against the rules. */
@Table({ tableName: 'reports' })
export class Report extends Model {
  @Column({ type: DataType.BIGINT, primaryKey: true, autoIncrement: true })
  declare id: number;

  @Column(DataType.BIGINT)
  declare messageId: MessageId;

  @Column(DataType.BIGINT)
  declare reporterId: UserId;

  @Column(DataType.TEXT)
  declare reason: string;

  /** The message as it was then. */
  @Column(DataType.TEXT)
  declare content: string;

  @Column(DataType.DATE)
  declare createdAt: Date;
}
