import type { ChatMessage } from '../../../src/client/index.ts';
import { Icon, type IconName } from './Icon.tsx';

const ICONS: Record<ChatMessage['status'], IconName> = {
  sending: 'clock',
  failed: 'alert',
  sent: 'sent',
  delivered: 'delivered',
  read: 'delivered',
};

/** The delivery status of a message as an icon. */
export function Ticks({ status }: Pick<ChatMessage, 'status'>) {
  return (
    <span class={`ticks ${status}`} title={status}>
      <Icon name={ICONS[status]} />
      <span class="hidden">{status}</span>
    </span>
  );
}
