import { useState } from 'preact/hooks';
import type { Chat, ChatMessage } from '../../../src/client/index.ts';
import { dayOf } from '../time.ts';
import type { Intent } from './Composer.tsx';
import { MessageItem } from './MessageItem.tsx';
import { continuesPrevious, startsDay } from './messages.ts';

interface Props {
  readonly chat: Chat;
  readonly messages: readonly ChatMessage[];
  /** The `seq` of the message below the divider "New messages". */
  readonly firstUnread: number | undefined;
  onShow(seq: number): void;
  onIntent(intent: Intent): void;
}

/** The loaded messages of a chat: one tab stop, within which the arrow keys move the focus (roving tabindex). */
export function MessageList({ chat, messages, firstUnread, onShow, onIntent }: Props) {
  const [focused, setFocused] = useState<string>();
  const tabStop = messages.some(({ key }) => key === focused) ? focused : messages.at(-1)?.key;
  const byId = new Map(messages.map((message) => [message.messageId, message]));
  return (
    <ol onKeyDown={moveFocus}>
      {messages.map((message, index) => (
        <MessageItem
          key={message.key}
          chat={chat}
          message={message}
          original={message.replyTo === null ? undefined : byId.get(message.replyTo)}
          day={startsDay(messages[index - 1], message) ? dayOf(message.createdAt) : undefined}
          isFirstUnread={message.seq > 0 && message.seq === firstUnread}
          continues={continuesPrevious(messages[index - 1], message)}
          isTabStop={message.key === tabStop}
          onFocus={() => setFocused(message.key)}
          onShow={(messageId) => {
            const seq = byId.get(messageId)?.seq;
            if (seq) onShow(seq);
          }}
          onIntent={onIntent}
        />
      ))}
    </ol>
  );
}

/** Moves the focus to the message above or below. */
function moveFocus(event: KeyboardEvent & { readonly currentTarget: HTMLElement }): void {
  const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
  const target = event.target as HTMLElement;
  const item = target.closest<HTMLElement>('.message');
  if (step === undefined || !item || target.closest('[role=menu]')) return;
  const items = [...event.currentTarget.querySelectorAll<HTMLElement>('.message')];
  event.preventDefault();
  items[items.indexOf(item) + step]?.focus();
}
