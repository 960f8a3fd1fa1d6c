import { useState } from 'preact/hooks';
import type { Chat, ChatMessage } from '../../../src/client/index.ts';
import { sentence, useClient } from '../hooks.ts';
import { Avatar } from '../parts/Avatar.tsx';
import { Bubble } from './Bubble.tsx';
import type { Intent } from './Composer.tsx';
import { MessageMenu } from './MessageMenu.tsx';

interface Props {
  readonly chat: Chat;
  readonly message: ChatMessage;
  /** The message that it replies to, if that is loaded. */
  readonly original: ChatMessage | undefined;
  /** The day as a divider above the message, if it is the first of its day. */
  readonly day: string | undefined;
  readonly isFirstUnread: boolean;
  /** True if the author is not repeated. */
  readonly continues: boolean;
  /** True if the Tab key leads to the message. */
  readonly isTabStop: boolean;
  onFocus(): void;
  /** Scrolls to a message. */
  onShow(messageId: number): void;
  onIntent(intent: Intent): void;
}

/** A message of the list, with the dividers above it. */
export function MessageItem(props: Props) {
  const { message, day, isFirstUnread } = props;
  return (
    <>
      {day && <Divider kind="day" text={day} />}
      {isFirstUnread && <Divider kind="unread" text="New messages" />}
      {message.kind === 'system' ? (
        <Divider kind="system" text={message.content} seq={message.seq} />
      ) : (
        <TextMessage {...props} />
      )}
    </>
  );
}

interface DividerProps {
  readonly kind: 'day' | 'unread' | 'system';
  readonly text: string;
  readonly seq?: number;
}

function Divider({ kind, text, seq }: DividerProps) {
  return (
    <li class={`divider ${kind}`} data-seq={seq}>
      <span>{text}</span>
    </li>
  );
}

/** A message that a user wrote, with its reactions and its menu. */
function TextMessage({ chat, message, original, continues, isTabStop, onFocus, onShow, onIntent }: Props) {
  const client = useClient();
  const [isOpen, setIsOpen] = useState(false);
  const [error, setError] = useState<string>();
  const { messageId, seq, isOwn, senderName, deletedAt } = message;
  const showsAuthor = chat.address.groupId !== undefined && !isOwn;

  const run = (action: Promise<unknown>) =>
    action.then(
      () => setError(undefined),
      (reason) => setError(sentence(reason)),
    );
  const toggleReaction = (emoji: string) => {
    const isSet = message.reactions.some((one) => one.own && one.emoji === emoji);
    return run(client.call(isSet ? 'removeReaction' : 'addReaction', { messageId, emoji }));
  };
  function onKeyDown(event: KeyboardEvent): void {
    if (event.key === 'Escape') setIsOpen(false);
    if (event.key !== 'Enter' || event.target !== event.currentTarget || deletedAt) return;
    event.preventDefault();
    setIsOpen(true);
  }

  return (
    <li
      class={`message${isOwn ? ' own' : ''}${continues ? ' continues' : ''}${isOpen ? ' is-open' : ''}`}
      data-seq={seq || undefined}
      tabIndex={isTabStop ? 0 : -1}
      onFocus={onFocus}
      onKeyDown={onKeyDown}
    >
      {showsAuthor && (continues ? <span class="avatar-space" /> : <Avatar name={senderName} />)}
      <div class="bubble-side">
        <Bubble
          message={message}
          original={original}
          showsAuthor={showsAuthor && !continues}
          onShow={onShow}
        />
        <Reactions message={message} isTabStop={isTabStop} onToggle={toggleReaction} />
        <Unsent chat={chat} message={message} />
        {error && (
          <span class="failed" role="alert">
            {error}
          </span>
        )}
      </div>
      {!deletedAt && messageId > 0 && (
        <MessageMenu
          message={message}
          isOpen={isOpen}
          isTabStop={isTabStop}
          onToggle={setIsOpen}
          onReact={toggleReaction}
          onIntent={onIntent}
          onRun={run}
        />
      )}
    </li>
  );
}

interface ReactionsProps {
  readonly message: ChatMessage;
  readonly isTabStop: boolean;
  onToggle(emoji: string): void;
}

/** The reactions to a message; a click adds or removes that of this user. */
function Reactions({ message: { reactions }, isTabStop, onToggle }: ReactionsProps) {
  if (reactions.length === 0) return null;
  return (
    <span class="reactions">
      {reactions.map(({ emoji, count, own }) => (
        <button
          key={emoji}
          type="button"
          class="reaction"
          tabIndex={isTabStop ? 0 : -1}
          aria-pressed={own}
          aria-label={`${emoji}, ${count}`}
          onClick={() => onToggle(emoji)}
        >
          {emoji} {count}
        </button>
      ))}
    </span>
  );
}

/** The error of a message that was not sent, with buttons to send it again or to discard it. */
function Unsent({ chat, message }: { readonly chat: Chat; readonly message: ChatMessage }) {
  const { key, status, error, content, replyTo } = message;
  if (status !== 'failed') return null;
  const sendAgain = () => {
    chat.discard(key);
    chat.send(content, replyTo === null ? {} : { replyTo }).catch(() => {}); // shown at the new message
  };
  return (
    <span class="failed" role="alert">
      Not sent. {error && sentence(error)}{' '}
      <button type="button" class="link" onClick={sendAgain}>
        Try again
      </button>{' '}
      <button type="button" class="link" onClick={() => chat.discard(key)}>
        Discard
      </button>
    </span>
  );
}
