import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { ChatAddress, ChatMessage } from '../../../src/client/index.ts';
import { useClient, useValue } from '../hooks.ts';
import { Icon } from '../parts/Icon.tsx';
import { dayOf, isSameDay } from '../time.ts';
import { Composer, type Intent } from './Composer.tsx';
import { Header } from './Header.tsx';
import { MessageItem } from './MessageItem.tsx';

interface Props {
  readonly address: ChatAddress;
  /** A message to show first. */
  readonly seq: number | undefined;
}

/** Pixels from the end that still count as being there. */
const NEAR = 80;

/** A chat: its messages from the oldest that was read to the newest, and where one writes. */
export function Conversation({ address, seq }: Props) {
  const client = useClient();
  const chat = client.chat(address);
  const summary = useValue(chat.summary);
  const messages = useValue(chat.messages);
  const typing = useValue(chat.typing);
  const [intent, setIntent] = useState<Intent>();
  const [isAtEnd, setIsAtEnd] = useState(true);
  const [active, setActive] = useState<string>();
  const scroller = useRef<HTMLDivElement>(null);
  const top = useRef<HTMLDivElement>(null);
  const firstUnread = useFirstUnread(messages, summary?.readSeq, summary?.unreadCount);
  const isVisible = useVisible();

  useEffect(() => {
    if (isVisible && isAtEnd) chat.markRead().catch(() => {}); // left meanwhile
  }, [chat, isVisible, isAtEnd, summary?.lastMessage.seq, summary?.markedUnread]);

  // Older messages are read when the beginning comes into sight.
  useEffect(() => {
    const target = top.current;
    if (!target) return;
    const observer = new IntersectionObserver(
      ([entry]) => {
        if (entry?.isIntersecting && chat.hasOlder && messages.length > 0) chat.loadOlder().catch(() => {});
      },
      { root: scroller.current, rootMargin: '400px 0px 0px' },
    );
    observer.observe(target);
    return () => observer.disconnect();
  }, [chat, messages.length]);

  useEffect(() => {
    if (seq === undefined) return;
    chat.loadOlder(seq).then(
      () => requestAnimationFrame(() => show(seq)),
      () => {},
    );
  }, [chat, seq]);

  // What one sends oneself is shown, wherever one was reading.
  const newest = messages.at(-1);
  useLayoutEffect(() => {
    if (newest?.status === 'sending') toEnd();
  }, [newest?.key]);

  function show(at: number): void {
    const item = scroller.current?.querySelector(`[data-seq="${at}"]`);
    item?.scrollIntoView({ block: 'center' });
    item?.classList.add('found');
    setTimeout(() => item?.classList.remove('found'), 2_000);
  }

  function toEnd(): void {
    scroller.current?.scrollTo({ top: 0 });
  }

  /** One message at a time is reached with Tab; the arrows go from one to the next. */
  function walk(event: KeyboardEvent): void {
    const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    const item = (event.target as HTMLElement).closest('.message');
    if (step === undefined || !item || (event.target as HTMLElement).closest('[role=menu]')) return;
    const items = [...(scroller.current?.querySelectorAll<HTMLElement>('.message') ?? [])];
    const next = items[items.indexOf(item as HTMLElement) + step];
    event.preventDefault();
    next?.focus();
  }

  const reachable = messages.some(({ key }) => key === active) ? active : newest?.key;
  const byId = new Map(messages.map((message) => [message.messageId, message]));
  return (
    <main class="conversation">
      <Header address={address} summary={summary} typing={typing} />
      <div
        class="messages"
        ref={scroller}
        onScroll={({ currentTarget }) => setIsAtEnd(currentTarget.scrollTop > -NEAR)}
      >
        <div class="messages-inner" role="log" aria-live="off" aria-label="Messages">
          <div ref={top} />
          {!chat.hasOlder && messages.length === 0 && <p class="empty">No messages yet. Say hello.</p>}
          <ol onKeyDown={walk}>
            {messages.map((message, index) => (
              <MessageItem
                key={message.key}
                chat={chat}
                message={message}
                original={message.replyTo === null ? undefined : byId.get(message.replyTo)}
                day={isNewDay(messages[index - 1], message) ? dayOf(message.createdAt) : undefined}
                isFirstUnread={message.seq > 0 && message.seq === firstUnread}
                continues={continues(messages[index - 1], message)}
                isReachable={message.key === reachable}
                onReach={() => setActive(message.key)}
                onShow={(messageId) => {
                  const at = byId.get(messageId)?.seq;
                  if (at) show(at);
                }}
                onIntent={setIntent}
              />
            ))}
          </ol>
        </div>
      </div>
      {!isAtEnd && (
        <button type="button" class="to-end" aria-label="Jump to the newest message" onClick={toEnd}>
          <Icon name="down" />
        </button>
      )}
      <Announcement messages={messages} />
      <p class="typing" role="status">
        {typing.length > 0 && `${typing.join(', ')} ${typing.length > 1 ? 'are' : 'is'} typing…`}
      </p>
      <Composer chat={chat} messages={messages} intent={intent} onIntent={setIntent} />
    </main>
  );
}

/** Says to a screen reader what the others write, and not what is paged back to. */
function Announcement({ messages }: { readonly messages: readonly ChatMessage[] }) {
  const heard = useRef<number | undefined>(undefined);
  const newest = messages.findLast(({ seq, isOwn }) => seq > 0 && !isOwn);
  const isNews = heard.current !== undefined && newest !== undefined && newest.seq > heard.current;
  useEffect(() => {
    if (messages.length > 0) heard.current ??= newest?.seq ?? 0;
  }, [messages.length]);
  return (
    <p class="hidden" role="status">
      {isNews && (newest.kind === 'system' ? newest.content : `${newest.senderName}: ${newest.content}`)}
    </p>
  );
}

function isNewDay(before: ChatMessage | undefined, message: ChatMessage): boolean {
  return !before || !isSameDay(before.createdAt, message.createdAt);
}

/** Whether a message goes on with what the same person said a moment ago. */
function continues(before: ChatMessage | undefined, message: ChatMessage): boolean {
  if (!before || before.kind === 'system' || before.senderId !== message.senderId) return false;
  return (
    Date.parse(message.createdAt) - Date.parse(before.createdAt) < 5 * 60_000 && !isNewDay(before, message)
  );
}

/** Where the unread messages began when the chat was opened. */
function useFirstUnread(messages: readonly ChatMessage[], readSeq?: number, unread = 0): number | undefined {
  const [first, setFirst] = useState<number | null>();
  useEffect(() => {
    if (first !== undefined || messages.length === 0 || readSeq === undefined) return;
    setFirst(
      unread > 0 ? (messages.find(({ seq, kind }) => seq > readSeq && kind === 'text')?.seq ?? null) : null,
    );
  }, [messages.length, readSeq]);
  return first ?? undefined;
}

function useVisible(): boolean {
  const [isVisible, setIsVisible] = useState(document.visibilityState === 'visible');
  useEffect(() => {
    const changed = () => setIsVisible(document.visibilityState === 'visible');
    document.addEventListener('visibilitychange', changed);
    return () => document.removeEventListener('visibilitychange', changed);
  }, []);
  return isVisible;
}
