import type { ChatMessage } from '../../../src/client/index.ts';
import { useClient } from '../hooks.ts';
import { Icon, type IconName } from '../parts/Icon.tsx';
import type { Intent } from './Composer.tsx';

const EMOJI = ['👍', '❤️', '😂', '🎉', '😮', '😢'];

interface Props {
  readonly message: ChatMessage;
  /** Closes the menu; called before the action of an item. */
  onClose(): void;
  onReact(emoji: string): void;
  onIntent(intent: Intent): void;
  onRun(action: Promise<unknown>): void;
  onReceipts(): void;
}

/** The reactions and the actions that the menu of a message offers. */
export function MenuItems({ message, onClose, onReact, onIntent, onRun, onReceipts }: Props) {
  const client = useClient();
  const { messageId, pinned, content, isOwn } = message;
  const isGroup = message.groupId !== undefined;
  const item = (icon: IconName, label: string, action: () => void) => (
    <button type="button" role="menuitem" tabIndex={-1} onClick={closing(action)}>
      <Icon name={icon} /> {label}
    </button>
  );
  const closing = (action: () => void) => () => {
    onClose();
    action();
  };
  const togglePin = () => onRun(client.call(pinned ? 'unpinMessage' : 'pinMessage', { messageId }));
  return (
    <>
      <div class="emoji" role="none">
        {EMOJI.map((emoji) => (
          <button
            key={emoji}
            type="button"
            role="menuitem"
            tabIndex={-1}
            aria-label={`React with ${emoji}`}
            onClick={closing(() => onReact(emoji))}
          >
            {emoji}
          </button>
        ))}
      </div>
      {item('reply', 'Reply', () => onIntent({ kind: 'reply', message }))}
      {item('copy', 'Copy', () => onRun(copy(content)))}
      {isOwn && item('edit', 'Edit', () => onIntent({ kind: 'edit', message }))}
      {item('pin', pinned ? 'Unpin' : 'Pin', togglePin)}
      {isOwn && isGroup && item('delivered', 'Read by', onReceipts)}
      {(isOwn || isGroup) &&
        item('trash', 'Delete', () => onRun(client.call('deleteMessage', { messageId })))}
    </>
  );
}

/** Rejects where the browser offers no clipboard, as without TLS. */
async function copy(text: string): Promise<void> {
  await navigator.clipboard.writeText(text);
}
