import { useState } from 'preact/hooks';
import { useAction, useClient, useLoaded } from '../hooks.ts';
import { Problem } from '../parts/Problem.tsx';
import { inviteHref } from '../route.ts';

/** The invite links of a group. */
export function GroupInvites({ groupId }: { readonly groupId: number }) {
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
