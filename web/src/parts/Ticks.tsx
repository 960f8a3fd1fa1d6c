import type { ChatMessage } from '../../../src/client/index.ts';
import { Icon, type IconName } from './Icon.tsx';

const ICONS: Record<ChatMessage['status'], IconName> = {
  sending: 'clock',
  failed: 'alert',
  sent: 'sent',
  delivered: 'delivered',
  read: 'delivered',
};

/** How far a message has come. */
export function Ticks({ status }: Pick<ChatMessage, 'status'>) {
  return (
    <span class={`ticks ${status}`} title={status}>
      <Icon name={ICONS[status]} />
      <span class="hidden">{status}</span>
    </span>
  );
}
