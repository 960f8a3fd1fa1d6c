import { useClient, useLoaded } from '../hooks.ts';
import { Avatar } from '../parts/Avatar.tsx';
import { Panel } from '../parts/Panel.tsx';
import { Problem } from '../parts/Problem.tsx';
import { Ticks } from '../parts/Ticks.tsx';

/** The delivery status of a message for each member of its group. */
export function ReceiptsPanel({ messageId, onClose }: { readonly messageId: number; onClose(): void }) {
  const client = useClient();
  const { value: receipts, error } = useLoaded(
    async () => (await client.call('getReceipts', { messageId, limit: 100 })).data,
    [messageId],
  );
  return (
    <Panel title="Read by" onClose={onClose}>
      <Problem text={error} />
      <ul class="rows">
        {receipts?.map(({ userId, username, delivered, read }) => (
          <li key={userId} class="row">
            <Avatar name={username} />
            <span class="row-name">{username}</span>
            <Ticks status={read ? 'read' : delivered ? 'delivered' : 'sent'} />
          </li>
        ))}
      </ul>
      {receipts?.length === 0 && <p class="empty">No other members at that time.</p>}
    </Panel>
  );
}
