import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { Chat, ChatMessage } from '../../../src/client/index.ts';
import { sentence, useClient } from '../hooks.ts';
import { Icon } from '../parts/Icon.tsx';
import { Problem } from '../parts/Problem.tsx';
import { lastEditable } from './messages.ts';

/** The message that the next one replies to, or that is edited. */
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

const MAX_LENGTH = 4000;

/** The field to write: Enter sends, Shift and Enter starts a line, arrow up in an empty field edits the last message. */
export function Composer({ chat, messages, intent, onIntent }: Props) {
  const client = useClient();
  const { field, text, write, restore } = useText(chat, intent);
  const [error, setError] = useState<string>();

  function cancel(): void {
    restore();
    onIntent(undefined);
  }

  function submit(): void {
    const content = (field.current?.value ?? text).trim(); // the state lags behind fast typing
    if (content === '') return;
    if (intent?.kind !== 'edit') drafts.delete(chat);
    cancel();
    setError(undefined);
    if (intent?.kind === 'edit')
      client
        .call('editMessage', { messageId: intent.message.messageId, content })
        .catch((reason) => setError(sentence(reason)));
    else chat.send(content, intent ? { replyTo: intent.message.messageId } : {}).catch(() => {}); // shown at the message
  }

  function onKeyDown(event: KeyboardEvent): void {
    if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      submit();
    } else if (event.key === 'Escape' && intent) cancel();
    else if (event.key === 'ArrowUp' && text === '') {
      const message = lastEditable(messages);
      if (!message) return;
      event.preventDefault();
      onIntent({ kind: 'edit', message });
    }
  }

  const label = intent?.kind === 'edit' ? 'Edit the message' : 'Write a message';
  return (
    <form
      class="composer"
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
    >
      <Problem text={error} />
      {intent && <IntentBar intent={intent} onCancel={cancel} />}
      <div class="field">
        <textarea
          ref={field}
          rows={1}
          value={text}
          maxLength={MAX_LENGTH}
          placeholder={label}
          aria-label={label}
          onInput={(event) => write(event.currentTarget.value)}
          onKeyDown={onKeyDown}
          onBlur={() => chat.setTyping(false)}
        />
        <button type="submit" class="send" aria-label="Send" disabled={text.trim() === ''}>
          <Icon name="send" />
        </button>
      </div>
    </form>
  );
}

/** Shows the message that is replied to or edited. */
function IntentBar({ intent, onCancel }: { readonly intent: Intent; onCancel(): void }) {
  const { kind, message } = intent;
  return (
    <div class="intent">
      <Icon name={kind} />
      <span class="quote">
        <strong>{kind === 'edit' ? 'Edit' : message.senderName}</strong>
        <span>{message.content}</span>
      </span>
      <button type="button" class="quiet" aria-label="Cancel" onClick={onCancel}>
        <Icon name="close" />
      </button>
    </div>
  );
}

/** Texts that were written but not sent, by chat; each is shown again when its chat is opened. */
const drafts = new Map<Chat, string>();

/** The text of the field: the draft of the chat, or the content of the message that is edited. */
function useText(chat: Chat, intent: Intent | undefined) {
  const field = useRef<HTMLTextAreaElement>(null);
  const [text, setText] = useState(drafts.get(chat) ?? '');

  useLayoutEffect(() => {
    if (!field.current) return;
    field.current.style.height = 'auto';
    field.current.style.height = `${field.current.scrollHeight}px`;
  }, [text]);

  useEffect(() => {
    if (matchMedia('(hover: hover)').matches) field.current?.focus();
  }, [chat]);

  // A layout effect runs before the next key event: the content to edit must not replace what is typed after it.
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

  return { field, text, write, restore: () => setText(drafts.get(chat) ?? '') };
}
