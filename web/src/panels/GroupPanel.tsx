import { useEffect, useState } from 'preact/hooks';
import type { Client, Params, Result } from '../../../src/client/index.ts';
import { useAction, useClient, useLoaded } from '../hooks.ts';
import { Avatar } from '../parts/Avatar.tsx';
import { Panel } from '../parts/Panel.tsx';
import { PeoplePicker } from '../parts/PeoplePicker.tsx';
import { Problem } from '../parts/Problem.tsx';
import { go, inviteHref } from '../route.ts';

type Group = Result<'getGroup'>['data'];
type Member = Result<'listGroupMembers'>['data'][number];

/** What changes somebody's place in a group, and so what this shows. */
const CHANGES = [
  'addUserInGroup',
  'joinGroup',
  'joinByInvite',
  'leaveGroup',
  'removeUserFromGroup',
  'banUser',
  'setMemberRole',
  'transferOwnership',
  'updateGroup',
] as const;

/** A group: what it is, who is in it, and what this user may do there. */
export function GroupPanel({ groupId, onClose }: { readonly groupId: number; onClose(): void }) {
  const client = useClient();
  const { run, error: refusal, busy } = useAction();
  const group = useLoaded(async () => (await client.call('getGroup', { groupId })).data, [groupId]);
  const members = useLoaded(() => allMembers(client, groupId), [groupId]);
  const reload = () => {
    group.reload();
    members.reload();
  };
  useEffect(() => {
    const stops = CHANGES.map((name) => client.on(name, (change) => change.groupId === groupId && reload()));
    return () => {
      for (const stop of stops) stop();
    };
  }, [client, groupId]);

  const act = (action: () => Promise<unknown>) => void run(action).then(reload);
  const out = (action: () => Promise<unknown>) =>
    void run(action).then((done) => {
      if (!done) return;
      onClose();
      go('#/');
    });
  const error = refusal ?? group.error ?? members.error;
  const { value: about } = group;
  const rules = about?.role === 'owner' || about?.role === 'admin';
  const mayAdd = rules || about?.whoMayAdd === 'members';
  return (
    <Panel title={about?.groupName ?? 'Group'} onClose={onClose}>
      <Problem text={error} />
      {about?.description && <p>{about.description}</p>}
      {about && (
        <p class="faint">
          {about.isPrivate ? 'Private' : 'Public'} · {about.memberCount}{' '}
          {about.memberCount === 1 ? 'member' : 'members'}
        </p>
      )}
      {about && mayAdd && (
        <PeoplePicker
          label="Add somebody"
          without={members.value?.map(({ userId }) => userId) ?? []}
          onPick={({ userId }) => act(() => client.call('addUserInGroup', { groupId, userId }))}
        />
      )}
      <h3>Members</h3>
      <ul class="rows members">
        {members.value?.map((member) => (
          <MemberRow
            key={member.userId}
            member={member}
            own={about?.role ?? null}
            busy={busy}
            onRole={(role) =>
              act(() => client.call('setMemberRole', { groupId, userId: member.userId, role }))
            }
            onRemove={() => act(() => client.call('removeUserFromGroup', { groupId, userId: member.userId }))}
            onBan={() => act(() => client.call('banUser', { groupId, userId: member.userId }))}
            onTransfer={() => act(() => client.call('transferOwnership', { groupId, userId: member.userId }))}
          />
        ))}
      </ul>
      {about && rules && <Invites groupId={groupId} />}
      {about && rules && (
        <Settings
          about={about}
          busy={busy}
          onSave={(changes) => act(() => client.call('updateGroup', changes))}
        />
      )}
      {about?.role && (
        <div class="buttons">
          <button
            type="button"
            disabled={busy}
            onClick={() => out(() => client.call('leaveGroup', { groupId }))}
          >
            Leave
          </button>
          {about.role === 'owner' && (
            <button
              type="button"
              class="danger"
              disabled={busy}
              onClick={() =>
                confirm(`Delete “${about.groupName}” for everybody?`) &&
                out(() => client.call('deleteGroup', { groupId }))
              }
            >
              Delete for everybody
            </button>
          )}
        </div>
      )}
    </Panel>
  );
}

interface MemberProps {
  readonly member: Member;
  /** The role of who looks. */
  readonly own: Group['role'];
  readonly busy: boolean;
  onRole(role: 'admin' | 'member'): void;
  onRemove(): void;
  onBan(): void;
  onTransfer(): void;
}

function MemberRow({ member, own, busy, onRole, onRemove, onBan, onTransfer }: MemberProps) {
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

/** Links that let people in. */
function Invites({ groupId }: { readonly groupId: number }) {
  const client = useClient();
  const { run, error, busy } = useAction();
  const { value: invites, reload } = useLoaded(
    async () => (await client.call('listInvites', { groupId })).data,
    [groupId],
  );
  const [copied, setCopied] = useState<number>();
  return (
    <section>
      <h3>Invites</h3>
      <Problem text={error} />
      <ul class="invites">
        {invites?.map(({ inviteId, code, uses }) => (
          <li key={inviteId}>
            <input
              readOnly
              aria-label="Invite link"
              value={inviteHref(code)}
              onFocus={(event) => event.currentTarget.select()}
            />
            <span class="faint">{uses} used</span>
            <button
              type="button"
              onClick={() =>
                run(async () => navigator.clipboard.writeText(inviteHref(code))).then(
                  (done) => done && setCopied(inviteId),
                )
              }
            >
              {copied === inviteId ? 'Copied' : 'Copy'}
            </button>
            <button
              type="button"
              class="danger"
              onClick={() => run(() => client.call('revokeInvite', { groupId, inviteId })).then(reload)}
            >
              Revoke
            </button>
          </li>
        ))}
      </ul>
      <button
        type="button"
        disabled={busy}
        onClick={() => run(() => client.call('createInvite', { groupId })).then(reload)}
      >
        New invite link
      </button>
    </section>
  );
}

interface SettingsProps {
  readonly about: Group;
  readonly busy: boolean;
  onSave(changes: Params<'updateGroup'>): void;
}

function Settings({ about, busy, onSave }: SettingsProps) {
  const { groupId, groupName, description, isPrivate, whoMayPost, slowModeSeconds } = about;
  const save = (event: SubmitEvent) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    onSave({
      groupId,
      groupName: String(form.get('name')),
      description: String(form.get('description')) || null,
      isPrivate: form.get('public') === null,
      whoMayPost: form.get('admins') === null ? 'members' : 'admins',
      slowModeSeconds: Number(form.get('slow')),
    });
  };
  return (
    <details>
      <summary>Settings</summary>
      <form onSubmit={save}>
        <label>
          Name
          <input name="name" required maxLength={100} defaultValue={groupName} />
        </label>
        <label>
          Description
          <textarea name="description" rows={2} maxLength={1000} defaultValue={description ?? ''} />
        </label>
        <label class="check">
          <input type="checkbox" name="public" defaultChecked={!isPrivate} /> Public: anybody can find and
          join it
        </label>
        <label class="check">
          <input type="checkbox" name="admins" defaultChecked={whoMayPost === 'admins'} /> Only admins write
        </label>
        <label>
          Seconds between two messages of a member
          <input name="slow" type="number" min={0} max={86_400} defaultValue={`${slowModeSeconds}`} />
        </label>
        <button type="submit" class="primary" disabled={busy}>
          Save
        </button>
      </form>
    </details>
  );
}

/** Everybody, as far as a page can show them. */
async function allMembers(client: Client, groupId: number): Promise<Member[]> {
  const all: Member[] = [];
  let cursor: string | null = null;
  do {
    const page: Result<'listGroupMembers'> = await client.call('listGroupMembers', {
      groupId,
      limit: 100,
      ...(cursor !== null && { cursor }),
    });
    all.push(...page.data);
    cursor = page.nextCursor;
  } while (cursor !== null && all.length < 1000);
  return all;
}
