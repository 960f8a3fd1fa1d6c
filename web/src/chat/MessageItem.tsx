import { useState } from 'preact/hooks';
import type { Chat, ChatMessage } from '../../../src/client/index.ts';
import { sentence, useClient } from '../hooks.ts';
import { Avatar } from '../parts/Avatar.tsx';
import { Icon } from '../parts/Icon.tsx';
import { Ticks } from '../parts/Ticks.tsx';
import { fullTime, timeOf } from '../time.ts';
import type { Intent } from './Composer.tsx';
import { MessageMenu } from './MessageMenu.tsx';

interface Props {
  readonly chat: Chat;
  readonly message: ChatMessage;
  /** What it replies to, if that is at hand. */
  readonly original: ChatMessage | undefined;
  /** A heading above it. */
  readonly day: string | undefined;
  readonly isFirstUnread: boolean;
  /** It goes on with the message before. */
  readonly continues: boolean;
  /** Tab leads to it. */
  readonly isReachable: boolean;
  onReach(): void;
  onShow(messageId: number): void;
  onIntent(intent: Intent): void;
}

export function MessageItem(props: Props) {
  const { chat, message, original, day, isFirstUnread, continues, isReachable } = props;
  const client = useClient();
  const [isOpen, setIsOpen] = useState(false);
  const [error, setError] = useState<string>();
  const { messageId, seq, kind, isOwn, senderName, content, createdAt, editedAt, deletedAt, status } =
    message;
  const isGroup = chat.address.groupId !== undefined;

  const run = (action: Promise<unknown>) =>
    action.then(
      () => setError(undefined),
      (reason) => setError(sentence(reason)),
    );
  const react = (emoji: string, own: boolean) =>
    run(client.call(own ? 'removeReaction' : 'addReaction', { messageId, emoji }));

  return (
    <>
      {day && (
        <li class="divider day">
          <span>{day}</span>
        </li>
      )}
      {isFirstUnread && (
        <li class="divider unread">
          <span>New messages</span>
        </li>
      )}
      {kind === 'system' ? (
        <li class="divider system" data-seq={seq}>
          <span>{content}</span>
        </li>
      ) : (
        <li
          class={`message${isOwn ? ' own' : ''}${continues ? ' continues' : ''}${isOpen ? ' is-open' : ''}`}
          data-seq={seq || undefined}
          tabIndex={isReachable ? 0 : -1}
          onFocus={props.onReach}
          onKeyDown={(event) => {
            if (event.key === 'Escape') setIsOpen(false);
            if (event.key !== 'Enter' || event.target !== event.currentTarget || deletedAt) return;
            event.preventDefault();
            setIsOpen(true);
          }}
        >
          {isGroup && !isOwn && (continues ? <span class="avatar-space" /> : <Avatar name={senderName} />)}
          <div class="bubble-side">
            <div class="bubble">
              {isGroup && !isOwn && !continues && <span class="author">{senderName}</span>}
              <span class="hidden">{isOwn ? 'You: ' : isGroup && !continues ? '' : `${senderName}: `}</span>
              {message.forwardedFromName && (
                <span class="forwarded">Forwarded from {message.forwardedFromName}</span>
              )}
              {message.replyTo !== null && (
                <button
                  type="button"
                  class="quote"
                  tabIndex={-1}
                  onClick={() => message.replyTo && props.onShow(message.replyTo)}
                >
                  <strong>{original?.senderName ?? 'Reply'}</strong>
                  <span>
                    {original?.deletedAt ? 'Deleted message' : (original?.content ?? 'to an earlier message')}
                  </span>
                </button>
              )}
              <span class={deletedAt ? 'text deleted' : 'text'}>
                {deletedAt ? 'Deleted message' : content}
              </span>
              <span class="meta">
                {message.pinned && <Icon name="pin" />}
                {editedAt && !deletedAt && <span>edited</span>}
                <time dateTime={createdAt} title={fullTime(createdAt)}>
                  {timeOf(createdAt)}
                </time>
                {isOwn && <Ticks status={status} />}
              </span>
            </div>
            {message.reactions.length > 0 && (
              <span class="reactions">
                {message.reactions.map(({ emoji, count, own }) => (
                  <button
                    key={emoji}
                    type="button"
                    class="reaction"
                    tabIndex={isReachable ? 0 : -1}
                    aria-pressed={own}
                    aria-label={`${emoji}, ${count}`}
                    onClick={() => react(emoji, own)}
                  >
                    {emoji} {count}
                  </button>
                ))}
              </span>
            )}
            {status === 'failed' && (
              <span class="failed" role="alert">
                Not sent. {message.error && sentence(message.error)}{' '}
                <button
                  type="button"
                  class="link"
                  onClick={() => {
                    chat.discard(message.key);
                    chat
                      .send(content, message.replyTo === null ? {} : { replyTo: message.replyTo })
                      .catch(() => {});
                  }}
                >
                  Try again
                </button>{' '}
                <button type="button" class="link" onClick={() => chat.discard(message.key)}>
                  Discard
                </button>
              </span>
            )}
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
              isReachable={isReachable}
              onToggle={setIsOpen}
              onReact={(emoji) =>
                react(
                  emoji,
                  message.reactions.some((one) => one.own && one.emoji === emoji),
                )
              }
              onIntent={props.onIntent}
              onRun={run}
            />
          )}
        </li>
      )}
    </>
  );
}
