import { useEffect, useRef, useState } from 'preact/hooks';
import type { ChatMessage } from '../../../src/client/index.ts';
import { useClient } from '../hooks.ts';
import { ReceiptsPanel } from '../panels/ReceiptsPanel.tsx';
import { Icon, type IconName } from '../parts/Icon.tsx';
import type { Intent } from './Composer.tsx';

interface Props {
  readonly message: ChatMessage;
  readonly isOpen: boolean;
  readonly isReachable: boolean;
  onToggle(isOpen: boolean): void;
  onReact(emoji: string): void;
  onIntent(intent: Intent): void;
  onRun(action: Promise<unknown>): void;
}

/** Pixels between the menu and the edge of the window. */
const MARGIN = 8;
const EMOJI = ['👍', '❤️', '😂', '🎉', '😮', '😢'];

/** What can be done with a message; the arrows go through it, Escape closes it (WAI-ARIA menu button pattern). */
export function MessageMenu({ message, isOpen, isReachable, onToggle, onReact, onIntent, onRun }: Props) {
  const client = useClient();
  const [showsReceipts, setShowsReceipts] = useState(false);
  const menu = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  const { messageId, pinned, content, isOwn } = message;
  const isGroup = message.groupId !== undefined;

  useEffect(() => {
    if (!isOpen || !menu.current || !button.current) return;
    menu.current.showPopover();
    placeBeside(menu.current, button.current.getBoundingClientRect(), isOwn);
    menu.current?.querySelector<HTMLElement>('[role=menuitem]')?.focus();
    const outside = (event: Event) => {
      if (!menu.current?.parentElement?.contains(event.target as Node)) onToggle(false);
    };
    document.addEventListener('pointerdown', outside);
    const moved = () => onToggle(false);
    document.addEventListener('scroll', moved, { capture: true, once: true });
    return () => {
      document.removeEventListener('pointerdown', outside);
      document.removeEventListener('scroll', moved, { capture: true });
    };
  }, [isOpen]);

  function close(): void {
    onToggle(false);
    button.current?.closest<HTMLElement>('.message')?.focus();
  }

  function key(event: KeyboardEvent): void {
    const items = [...(menu.current?.querySelectorAll<HTMLElement>('[role=menuitem]') ?? [])];
    const at = items.indexOf(document.activeElement as HTMLElement);
    const to = {
      ArrowDown: at + 1,
      ArrowRight: at + 1,
      ArrowUp: at - 1,
      ArrowLeft: at - 1,
      Home: 0,
      End: -1,
    }[event.key];
    if (event.key === 'Escape' || event.key === 'Tab') close();
    if (to !== undefined) items.at(to % items.length)?.focus();
    if (to !== undefined || event.key === 'Escape' || event.key === 'Tab') event.preventDefault();
    event.stopPropagation();
  }

  const item = (icon: IconName, label: string, action: () => void) => (
    <button
      type="button"
      role="menuitem"
      tabIndex={-1}
      onClick={() => {
        close();
        action();
      }}
    >
      <Icon name={icon} /> {label}
    </button>
  );

  return (
    <div class="message-menu">
      <button
        ref={button}
        type="button"
        class="quiet"
        aria-label="Message actions"
        aria-haspopup="menu"
        aria-expanded={isOpen}
        tabIndex={isReachable ? 0 : -1}
        onClick={() => onToggle(!isOpen)}
      >
        <Icon name="more" />
      </button>
      {isOpen && (
        <div
          class="menu"
          role="menu"
          popover="manual"
          tabIndex={-1}
          aria-label="Message"
          ref={menu}
          onKeyDown={key}
        >
          <div class="emoji" role="none">
            {EMOJI.map((emoji) => (
              <button
                key={emoji}
                type="button"
                role="menuitem"
                tabIndex={-1}
                aria-label={`React with ${emoji}`}
                onClick={() => {
                  close();
                  onReact(emoji);
                }}
              >
                {emoji}
              </button>
            ))}
          </div>
          {item('reply', 'Reply', () => onIntent({ kind: 'reply', message }))}
          {item('copy', 'Copy', () => onRun(copy(content)))}
          {isOwn && item('edit', 'Edit', () => onIntent({ kind: 'edit', message }))}
          {item('pin', pinned ? 'Unpin' : 'Pin', () =>
            onRun(client.call(pinned ? 'unpinMessage' : 'pinMessage', { messageId })),
          )}
          {isOwn && isGroup && item('delivered', 'Read by', () => setShowsReceipts(true))}
          {(isOwn || isGroup) &&
            item('trash', 'Delete', () => onRun(client.call('deleteMessage', { messageId })))}
        </div>
      )}
      {showsReceipts && <ReceiptsPanel messageId={messageId} onClose={() => setShowsReceipts(false)} />}
    </div>
  );
}

/** Rejects where the browser keeps its clipboard to itself, as without TLS. */
async function copy(text: string): Promise<void> {
  await navigator.clipboard.writeText(text);
}

/** Below the button or, where there is no room, above it; towards the middle of the conversation. */
function placeBeside(menu: HTMLElement, { top, bottom, left, right }: DOMRect, toTheLeft: boolean): void {
  const { offsetWidth: width, offsetHeight: height } = menu;
  const x = toTheLeft ? right - width : left;
  const y = bottom + height < innerHeight - MARGIN ? bottom : top - height;
  menu.style.left = `${Math.max(MARGIN, Math.min(x, innerWidth - width - MARGIN))}px`;
  menu.style.top = `${Math.max(MARGIN, y)}px`;
}
