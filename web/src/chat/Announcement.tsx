import { useEffect, useRef } from 'preact/hooks';
import type { ChatMessage } from '../../../src/client/index.ts';

/** Announces new messages of others to screen readers, but not older ones that are loaded. */
export function Announcement({ messages }: { readonly messages: readonly ChatMessage[] }) {
  /** The `seq` of the newest message at the first load. */
  const initial = useRef<number | undefined>(undefined);
  const newest = messages.findLast(({ seq, isOwn }) => seq > 0 && !isOwn);
  const isNew = initial.current !== undefined && newest !== undefined && newest.seq > initial.current;
  useEffect(() => {
    if (messages.length > 0) initial.current ??= newest?.seq ?? 0;
  }, [messages.length]);
  return (
    <p class="hidden" role="status">
      {isNew && (newest.kind === 'system' ? newest.content : `${newest.senderName}: ${newest.content}`)}
    </p>
  );
}
