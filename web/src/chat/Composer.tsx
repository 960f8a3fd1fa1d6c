import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { Chat, ChatMessage } from '../../../src/client/index.ts';
import { sentence, useClient } from '../hooks.ts';
import { Icon } from '../parts/Icon.tsx';
import { Problem } from '../parts/Problem.tsx';

/** What the next message is about. */
export interface Intent {
  readonly kind: 'reply' | 'edit';
  readonly message: ChatMessage;
}

interface Props {
  readonly chat: Chat;
  readonly messages: readonly ChatMessage[];
  readonly intent: Intent | undefined;
  onIntent(intent: Intent | undefined): void;
}

/** What was begun and not sent, by chat: it is there again when one comes back. */
const drafts = new Map<Chat, string>();
const MAX_LENGTH = 4000;

/** Where one writes: Enter sends, Shift and Enter begins a line, arrow up in an empty field edits the last message. */
export function Composer({ chat, messages, intent, onIntent }: Props) {
  const client = useClient();
  const [text, setText] = useState(drafts.get(chat) ?? '');
  const [error, setError] = useState<string>();
  const field = useRef<HTMLTextAreaElement>(null);

  useLayoutEffect(() => {
    if (!field.current) return;
    field.current.style.height = 'auto';
    field.current.style.height = `${field.current.scrollHeight}px`;
  }, [text]);

  useEffect(() => {
    if (matchMedia('(hover: hover)').matches) field.current?.focus();
  }, [chat]);

  // Before the next key is heard: what is typed at once must not be replaced by the text to edit.
  useLayoutEffect(() => {
    if (!intent) return;
    if (intent.kind === 'edit') setText(intent.message.content);
    field.current?.focus();
  }, [intent]);

  function write(value: string): void {
    setText(value);
    if (intent?.kind !== 'edit') drafts.set(chat, value);
    chat.setTyping(value !== '');
  }

  /** Back to what was begun before. */
  function leave(): void {
    setText(drafts.get(chat) ?? '');
    onIntent(undefined);
  }

  function done(): void {
    if (intent?.kind !== 'edit') drafts.delete(chat);
    leave();
  }

  async function submit(): Promise<void> {
    const content = (field.current?.value ?? text).trim(); // ahead of the state while one types fast
    if (content === '') return;
    setError(undefined);
    try {
      if (intent?.kind === 'edit') {
        const { messageId } = intent.message;
        done();
        await client.call('editMessage', { messageId, content });
      } else {
        const replyTo = intent?.message.messageId;
        done();
        await chat.send(content, replyTo === undefined ? {} : { replyTo });
      }
    } catch (reason) {
      setError(sentence(reason));
    }
  }

  function key(event: KeyboardEvent): void {
    if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      void submit();
    } else if (event.key === 'Escape' && intent) leave();
    else if (event.key === 'ArrowUp' && text === '') {
      const own = messages.findLast(
        ({ isOwn, kind, deletedAt, messageId }) => isOwn && kind === 'text' && !deletedAt && messageId > 0,
      );
      if (!own) return;
      event.preventDefault();
      onIntent({ kind: 'edit', message: own });
    }
  }

  const label = intent?.kind === 'edit' ? 'Edit the message' : 'Write a message';
  return (
    <form
      class="composer"
      onSubmit={(event) => {
        event.preventDefault();
        void submit();
      }}
    >
      <Problem text={error} />
      {intent && (
        <div class="intent">
          <Icon name={intent.kind} />
          <span class="quote">
            <strong>{intent.kind === 'edit' ? 'Edit' : intent.message.senderName}</strong>
            <span>{intent.message.content}</span>
          </span>
          <button type="button" class="quiet" aria-label="Cancel" onClick={leave}>
            <Icon name="close" />
          </button>
        </div>
      )}
      <div class="field">
        <textarea
          ref={field}
          rows={1}
          value={text}
          maxLength={MAX_LENGTH}
          placeholder={label}
          aria-label={label}
          onInput={(event) => write(event.currentTarget.value)}
          onKeyDown={key}
          onBlur={() => chat.setTyping(false)}
        />
        <button type="submit" class="send" aria-label="Send" disabled={text.trim() === ''}>
          <Icon name="send" />
        </button>
      </div>
    </form>
  );
}
