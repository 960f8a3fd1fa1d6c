import { Column, DataType, Model, Table } from 'sequelize-typescript';
import type { UserId } from '../../ids.ts';
import type { CustomData } from '../../protocol/schema/types.ts';

/** An account. `email`, `username` and `passwordHash` are null once it is deleted. */
@Table({ tableName: 'users' })
export class User extends Model {
  @Column({ type: DataType.BIGINT, primaryKey: true, autoIncrement: true })
  declare id: UserId;

  @Column(DataType.TEXT)
  declare email: string | null;

  @Column(DataType.TEXT)
  declare username: string | null;

  /** The folded names, see `foldedUser`: unique. */
  @Column(DataType.TEXT)
  declare emailFolded: string | null;

  @Column(DataType.TEXT)
  declare usernameFolded: string | null;

  /** The names folded for search. */
  @Column(DataType.TEXT)
  declare usernameSearch: string | null;

  @Column(DataType.TEXT)
  declare displayNameSearch: string | null;

  @Column(DataType.TEXT)
  declare passwordHash: string | null;

  /** Part of every token; incrementing it revokes all tokens issued before. */
  @Column(DataType.INTEGER)
  declare tokenVersion: number;

  @Column(DataType.TEXT)
  declare displayName: string | null;

  @Column(DataType.TEXT)
  declare about: string | null;

  /** The address of a picture, opaque to the server. */
  @Column(DataType.TEXT)
  declare avatar: string | null;

  @Column(DataType.JSONB)
  declare custom: CustomData | null;

  /** Number of changes of the profile, counted by a trigger. */
  @Column(DataType.INTEGER)
  declare profileVersion: number;

  /** True if the user appears offline regardless of connections. */
  @Column(DataType.BOOLEAN)
  declare isInvisible: boolean;

  /** The time at which the last connection ended or the user became invisible. */
  @Column(DataType.DATE)
  declare lastSeenAt: Date | null;

  /** Tokens without this value are revoked, except that with `keptTokenId`: see auth/tokenValidity.ts. */
  @Column(DataType.DATE)
  declare othersEndedAt: Date | null;

  @Column(DataType.TEXT)
  declare keptTokenId: string | null;

  @Column(DataType.DATE)
  declare createdAt: Date;

  @Column(DataType.DATE)
  declare updatedAt: Date;

  /** The time since which the account is disabled by an operator. */
  @Column(DataType.DATE)
  declare disabledAt: Date | null;

  @Column(DataType.DATE)
  declare deletedAt: Date | null;
}
