import { useEffect } from 'preact/hooks';
import type { Client, Result } from '../../../src/client/index.ts';
import { useAction, useClient, useLoaded } from '../hooks.ts';
import { Panel } from '../parts/Panel.tsx';
import { PeoplePicker } from '../parts/PeoplePicker.tsx';
import { Problem } from '../parts/Problem.tsx';
import { go } from '../route.ts';
import { GroupInvites } from './GroupInvites.tsx';
import { GroupSettings } from './GroupSettings.tsx';
import { type Member, MemberRow } from './MemberRow.tsx';

/** Pushes after which the panel is loaded again. */
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

/** A group: its description, its members, and the actions that its role permits this user. */
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
  const exit = (action: () => Promise<unknown>) =>
    void run(action).then((done) => {
      if (!done) return;
      onClose();
      go('#/');
    });
  const error = refusal ?? group.error ?? members.error;
  const { value: about } = group;
  const isAdmin = about?.role === 'owner' || about?.role === 'admin';
  const mayAdd = isAdmin || about?.whoMayAdd === 'members';
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
          label="Add a member"
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
      {about && isAdmin && <GroupInvites groupId={groupId} />}
      {about && isAdmin && (
        <GroupSettings
          about={about}
          busy={busy}
          onSave={(changes) => act(() => client.call('updateGroup', changes))}
        />
      )}
      {about?.role && (
        <Exits
          isOwner={about.role === 'owner'}
          busy={busy}
          onLeave={() => exit(() => client.call('leaveGroup', { groupId }))}
          onDelete={() =>
            confirm(`Delete “${about.groupName}” for everybody?`) &&
            exit(() => client.call('deleteGroup', { groupId }))
          }
        />
      )}
    </Panel>
  );
}

interface ExitsProps {
  readonly isOwner: boolean;
  readonly busy: boolean;
  onLeave(): void;
  onDelete(): void;
}

/** Buttons to leave or delete a group. */
function Exits({ isOwner, busy, onLeave, onDelete }: ExitsProps) {
  return (
    <div class="buttons">
      <button type="button" disabled={busy} onClick={onLeave}>
        Leave
      </button>
      {isOwner && (
        <button type="button" class="danger" disabled={busy} onClick={onDelete}>
          Delete for everybody
        </button>
      )}
    </div>
  );
}

/** Returns the members of a group, at most the first thousand. */
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
