import { Column, DataType, Model, Table } from 'sequelize-typescript';
import type { UserId } from '../../ids.ts';
import type { CustomData } from '../../protocol/schema/types.ts';

/** The claims of a host that fill a profile, see accounts/hostProfile.ts: those that were seen last. */
export interface HostClaims {
  readonly username?: string;
  readonly displayName?: string;
  readonly avatar?: string;
  readonly email?: string;
  /** The time at which their token was issued, in milliseconds since the epoch. */
  readonly issuedAt: number;
}

/**
 * An account. `email`, `username` and `passwordHash` are null once it is deleted; that of a user of the host has no
 * password, and an email only if the host has verified it.
 */
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

  /** The user at the host: unique, and kept by a deleted account. Null for other accounts. */
  @Column(DataType.TEXT)
  declare externalId: string | null;

  @Column(DataType.JSONB)
  declare hostClaims: HostClaims | null;

  /** Part of every token; incrementing it revokes all tokens issued before. */
  @Column(DataType.INTEGER)
  declare tokenVersion: number;

  /** The time of the last increment, set by a trigger: tokens of the host are checked by it. */
  @Column(DataType.DATE)
  declare tokensEndedAt: Date | null;

  @Column(DataType.TEXT)
  declare displayName: string | null;

  @Column(DataType.TEXT)
  declare about: string | null;

  /** The address of a picture, opaque to the server. */
  @Column(DataType.TEXT)
  declare avatar: string | null;

  @Column(DataType.JSONB)
  declare custom: CustomData | null;

  /** True if the user is a program. */
  @Column(DataType.BOOLEAN)
  declare isBot: boolean;

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
