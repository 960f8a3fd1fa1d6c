import { useEffect, useState } from 'preact/hooks';
import type { Chat, ChatMessage, ChatSummary } from '../../../src/client/index.ts';
import { firstUnreadOf } from './messages.ts';

/** Marks the chat as read while its newest message is in sight in a visible window. */
export function useMarkRead(chat: Chat, summary: ChatSummary | undefined, isAtEnd: boolean): void {
  const isVisible = useVisible();
  useEffect(() => {
    if (isVisible && isAtEnd) chat.markRead().catch(() => {}); // the user may have left the group
  }, [chat, isVisible, isAtEnd, summary?.lastMessage.seq, summary?.markedUnread]);
}

/** Returns the `seq` of the message that was the first unread one when the chat was opened. */
export function useFirstUnread(
  messages: readonly ChatMessage[],
  summary: ChatSummary | undefined,
): number | undefined {
  const [first, setFirst] = useState<number | null>();
  const readSeq = summary?.readSeq;
  useEffect(() => {
    if (first !== undefined || messages.length === 0 || readSeq === undefined) return;
    setFirst(firstUnreadOf(messages, readSeq, summary?.unreadCount ?? 0));
  }, [messages.length, readSeq]);
  return first ?? undefined;
}

/** Returns true while the window is visible. */
function useVisible(): boolean {
  const [isVisible, setIsVisible] = useState(document.visibilityState === 'visible');
  useEffect(() => {
    const changed = () => setIsVisible(document.visibilityState === 'visible');
    document.addEventListener('visibilitychange', changed);
    return () => document.removeEventListener('visibilitychange', changed);
  }, []);
  return isVisible;
}
