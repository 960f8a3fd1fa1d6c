import type { RefObject } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { ChatMessage } from '../../../src/client/index.ts';
import { ReceiptsPanel } from '../panels/ReceiptsPanel.tsx';
import { Icon } from '../parts/Icon.tsx';
import type { Intent } from './Composer.tsx';
import { MenuItems } from './MenuItems.tsx';
import { nextItem } from './menuKeys.ts';

interface Props {
  readonly message: ChatMessage;
  readonly isOpen: boolean;
  readonly isTabStop: boolean;
  onToggle(isOpen: boolean): void;
  onReact(emoji: string): void;
  onIntent(intent: Intent): void;
  /** Shows the error of an action at the message. */
  onRun(action: Promise<unknown>): void;
}

/** Pixels between the menu and the edge of the window. */
const MARGIN = 8;

/** The button of a message and its menu, by the menu button pattern of WAI-ARIA. */
export function MessageMenu(props: Props) {
  const { message, isOpen, isTabStop, onToggle, onReact, onIntent, onRun } = props;
  const [showsReceipts, setShowsReceipts] = useState(false);
  const menu = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  usePopover(isOpen, menu, button, message.isOwn, () => onToggle(false));

  /** Closes the menu and returns the focus to the message. */
  function close(): void {
    onToggle(false);
    button.current?.closest<HTMLElement>('.message')?.focus();
  }

  function onKeyDown(event: KeyboardEvent): void {
    event.stopPropagation();
    const items = itemsOf(menu.current);
    const next = nextItem(event.key, items.indexOf(document.activeElement as HTMLElement), items.length);
    const isClosing = event.key === 'Escape' || event.key === 'Tab';
    if (next === undefined && !isClosing) return;
    event.preventDefault();
    if (isClosing) close();
    else if (next !== undefined) items[next]?.focus();
  }

  return (
    <div class="message-menu">
      <button
        ref={button}
        type="button"
        class="quiet"
        aria-label="Message actions"
        aria-haspopup="menu"
        aria-expanded={isOpen}
        tabIndex={isTabStop ? 0 : -1}
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
          onKeyDown={onKeyDown}
        >
          <MenuItems
            message={message}
            onClose={close}
            onReact={onReact}
            onIntent={onIntent}
            onRun={onRun}
            onReceipts={() => setShowsReceipts(true)}
          />
        </div>
      )}
      {showsReceipts && (
        <ReceiptsPanel messageId={message.messageId} onClose={() => setShowsReceipts(false)} />
      )}
    </div>
  );
}

const itemsOf = (menu: HTMLElement | null): HTMLElement[] => [
  ...(menu?.querySelectorAll<HTMLElement>('[role=menuitem]') ?? []),
];

/** Shows an open menu with the focus on its first item, and closes it after a click elsewhere or a scroll. */
function usePopover(
  isOpen: boolean,
  menu: RefObject<HTMLElement | null>,
  button: RefObject<HTMLElement | null>,
  isRightAligned: boolean,
  close: () => void,
): void {
  useEffect(() => {
    const [element, anchor] = [menu.current, button.current];
    if (!isOpen || !element || !anchor) return;
    element.showPopover();
    placeBeside(element, anchor.getBoundingClientRect(), isRightAligned);
    itemsOf(element)[0]?.focus();
    const pressed = ({ target }: Event) => {
      if (!element.parentElement?.contains(target as Node)) close();
    };
    document.addEventListener('pointerdown', pressed);
    document.addEventListener('scroll', close, { capture: true, once: true });
    return () => {
      document.removeEventListener('pointerdown', pressed);
      document.removeEventListener('scroll', close, { capture: true });
    };
  }, [isOpen]);
}

/** Places a menu below a button or, where there is no room, above it, within the window. */
function placeBeside(menu: HTMLElement, anchor: DOMRect, isRightAligned: boolean): void {
  const { offsetWidth: width, offsetHeight: height } = menu;
  const x = isRightAligned ? anchor.right - width : anchor.left;
  const hasRoomBelow = anchor.bottom + height < innerHeight - MARGIN;
  const y = hasRoomBelow ? anchor.bottom : anchor.top - height;
  menu.style.left = `${Math.max(MARGIN, Math.min(x, innerWidth - width - MARGIN))}px`;
  menu.style.top = `${Math.max(MARGIN, y)}px`;
}
