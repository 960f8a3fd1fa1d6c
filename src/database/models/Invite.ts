import { Column, DataType, Model, Table } from 'sequelize-typescript';
import type { ChatId, InviteId, UserId } from '../../ids.ts';

/** A code for joining a group. */
@Table({ tableName: 'invites' })
export class Invite extends Model {
  @Column({ type: DataType.BIGINT, primaryKey: true, autoIncrement: true })
  declare id: InviteId;

  @Column(DataType.BIGINT)
  declare chatId: ChatId;

  @Column(DataType.TEXT)
  declare code: string;

  @Column(DataType.BIGINT)
  declare createdBy: UserId;

  @Column(DataType.TEXT)
  declare clientInviteId: string | null;

  @Column(DataType.DATE)
  declare expiresAt: Date | null;

  @Column(DataType.INTEGER)
  declare maxUses: number | null;

  @Column(DataType.INTEGER)
  declare uses: number;

  @Column(DataType.DATE)
  declare revokedAt: Date | null;

  @Column(DataType.DATE)
  declare createdAt: Date;
}
