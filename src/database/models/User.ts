import { Column, DataType, Model, Table } from 'sequelize-typescript';
import type { UserId } from '../../ids.ts';
import type { CustomData } from '../../messages/drafts.ts';

/** An account. `email`, `username` and `passwordHash` are null once it is deleted. */
@Table({ tableName: 'users' })
export class User extends Model {
  @Column({ type: DataType.BIGINT, primaryKey: true, autoIncrement: true })
  declare id: UserId;

  @Column(DataType.TEXT)
  declare email: string | null;

  @Column(DataType.TEXT)
  declare username: string | null;

  /** The names as they are compared, see `foldedUser`: unique. */
  @Column(DataType.TEXT)
  declare emailFolded: string | null;

  @Column(DataType.TEXT)
  declare usernameFolded: string | null;

  /** And as they are searched. */
  @Column(DataType.TEXT)
  declare usernameSearch: string | null;

  @Column(DataType.TEXT)
  declare displayNameSearch: string | null;

  @Column(DataType.TEXT)
  declare passwordHash: string | null;

  /** Stands in every token; raising it revokes all tokens handed out before. */
  @Column(DataType.INTEGER)
  declare tokenVersion: number;

  @Column(DataType.TEXT)
  declare displayName: string | null;

  @Column(DataType.TEXT)
  declare about: string | null;

  /** Where a picture is, for the integrator to know. */
  @Column(DataType.TEXT)
  declare avatar: string | null;

  @Column(DataType.JSONB)
  declare custom: CustomData | null;

  /** Shown as offline whatever the connections say. */
  @Column(DataType.BOOLEAN)
  declare isInvisible: boolean;

  /** When the last connection ended, or the user became invisible. */
  @Column(DataType.DATE)
  declare lastSeenAt: Date | null;

  /** Tokens that do not carry this value have ended, but for the one with `keptTokenId`: see auth/tokenValidity.ts. */
  @Column(DataType.DATE)
  declare othersEndedAt: Date | null;

  @Column(DataType.TEXT)
  declare keptTokenId: string | null;

  @Column(DataType.DATE)
  declare createdAt: Date;

  @Column(DataType.DATE)
  declare updatedAt: Date;

  /** Since when an operator keeps the user out. */
  @Column(DataType.DATE)
  declare disabledAt: Date | null;

  @Column(DataType.DATE)
  declare deletedAt: Date | null;
}
