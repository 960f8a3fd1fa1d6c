import type { Result } from '../../../src/client/index.ts';
import { useClient } from '../hooks.ts';
import { Avatar } from '../parts/Avatar.tsx';

export type Member = Result<'listGroupMembers'>['data'][number];

interface Props {
  readonly member: Member;
  /** The role of this user. */
  readonly own: Result<'getGroup'>['data']['role'];
  readonly busy: boolean;
  onRole(role: 'admin' | 'member'): void;
  onRemove(): void;
  onBan(): void;
  onTransfer(): void;
}

/** A member of a group, with the actions that this user may take. */
export function MemberRow({ member, own, busy, onRole, onRemove, onBan, onTransfer }: Props) {
  const { userId, username, role, online } = member;
  const isSelf = useClient().self?.userId === userId;
  const mayRemove = !isSelf && (own === 'owner' || (own === 'admin' && role === 'member'));
  const actions: Record<string, () => void> = {
    ...(own === 'owner' && role === 'member' && { 'Make admin': () => onRole('admin') }),
    ...(own === 'owner' && role === 'admin' && { 'Make member': () => onRole('member') }),
    ...(own === 'owner' && !isSelf && { 'Make owner': onTransfer }),
    ...(mayRemove && { Remove: onRemove, Ban: onBan }),
  };
  return (
    <li class="row">
      <Avatar name={username} presence={{ userId, online, lastSeenAt: null }} />
      <span class="row-text">
        <span class="row-name">
          {username}
          {isSelf && ' (you)'}
        </span>
        {role !== 'member' && <span class="row-message">{role}</span>}
      </span>
      {Object.keys(actions).length > 0 && (
        <select
          aria-label={`Change ${username}`}
          disabled={busy}
          value=""
          onChange={(event) => {
            actions[event.currentTarget.value]?.();
            event.currentTarget.value = '';
          }}
        >
          <option value="">Change…</option>
          {Object.keys(actions).map((name) => (
            <option key={name}>{name}</option>
          ))}
        </select>
      )}
    </li>
  );
}
