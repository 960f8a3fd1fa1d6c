import { useAction, useClient, useLoaded } from '../hooks.ts';
import { Avatar } from '../parts/Avatar.tsx';
import { Panel } from '../parts/Panel.tsx';
import { Problem } from '../parts/Problem.tsx';

/** The profile of a user, with a button to block or unblock them. */
export function PersonPanel({ userId, onClose }: { readonly userId: number; onClose(): void }) {
  const client = useClient();
  const { run, error: refusal, busy } = useAction();
  const { value: profile, error } = useLoaded(
    async () => (await client.call('getProfile', { userId })).data,
    [userId],
  );
  const { value: blocked, reload } = useLoaded(
    async () =>
      (await client.call('listBlockedUsers', { limit: 100 })).data.some((user) => user.userId === userId),
    [userId],
  );
  const toggle = () => run(() => client.call(blocked ? 'unblockUser' : 'blockUser', { userId })).then(reload);
  return (
    <Panel title={profile?.username ?? 'Profile'} onClose={onClose}>
      {profile && (
        <div class="person">
          <Avatar name={profile.username} />
          {profile.displayName && <p class="display-name">{profile.displayName}</p>}
          {profile.about && <p>{profile.about}</p>}
          <p class="faint">Member since {new Date(profile.createdAt).toLocaleDateString()}</p>
        </div>
      )}
      <Problem text={error ?? refusal} />
      {blocked !== undefined && userId !== client.self?.userId && (
        <button type="button" class={blocked ? '' : 'danger'} disabled={busy} onClick={toggle}>
          {blocked ? 'Unblock' : 'Block'}
        </button>
      )}
    </Panel>
  );
}
