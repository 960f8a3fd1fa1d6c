import type { ChatMessage } from '../../../src/client/index.ts';
import { Icon } from '../parts/Icon.tsx';
import { Ticks } from '../parts/Ticks.tsx';
import { fullTime, timeOf } from '../time.ts';

interface Props {
  readonly message: ChatMessage;
  /** The message that it replies to, if that is loaded. */
  readonly original: ChatMessage | undefined;
  readonly showsAuthor: boolean;
  /** Scrolls to a message. */
  onShow(messageId: number): void;
}

/** The content of a message, with its author, its quote and its details. */
export function Bubble({ message, original, showsAuthor, onShow }: Props) {
  const { isOwn, senderName, content, deletedAt, forwardedFromName, replyTo } = message;
  return (
    <div class="bubble">
      {showsAuthor ? (
        <span class="author">{senderName}</span>
      ) : (
        <span class="hidden">{isOwn ? 'You' : senderName}: </span>
      )}
      {forwardedFromName && <span class="forwarded">Forwarded from {forwardedFromName}</span>}
      {replyTo !== null && <Quote original={original} onClick={() => onShow(replyTo)} />}
      <span class={deletedAt ? 'text deleted' : 'text'}>{deletedAt ? 'Deleted message' : content}</span>
      <Details message={message} />
    </div>
  );
}

interface QuoteProps {
  readonly original: ChatMessage | undefined;
  onClick(): void;
}

/** The message that is replied to; a click scrolls to it. */
function Quote({ original, onClick }: QuoteProps) {
  const text = original?.deletedAt ? 'Deleted message' : original?.content;
  return (
    <button type="button" class="quote" tabIndex={-1} onClick={onClick}>
      <strong>{original?.senderName ?? 'Reply'}</strong>
      <span>{text ?? 'to an earlier message'}</span>
    </button>
  );
}

/** The line of small print: pinned, edited, the time, the delivery status. */
function Details({ message }: { readonly message: ChatMessage }) {
  const { pinned, editedAt, deletedAt, createdAt, isOwn, status } = message;
  return (
    <span class="meta">
      {pinned && <Icon name="pin" />}
      {editedAt && !deletedAt && <span>edited</span>}
      <time dateTime={createdAt} title={fullTime(createdAt)}>
        {timeOf(createdAt)}
      </time>
      {isOwn && <Ticks status={status} />}
    </span>
  );
}
