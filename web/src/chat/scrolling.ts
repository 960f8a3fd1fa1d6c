import type { RefObject } from 'preact';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { Chat, ChatMessage } from '../../../src/client/index.ts';

type Scroller = RefObject<HTMLDivElement | null>;

/** Pixels from the end within which the newest message counts as in sight. */
const NEAR = 80;
/** Milliseconds that a message stays emphasised after it was scrolled to. */
const EMPHASIS = 2_000;

/** The scroll position of the messages. The element lays them out in reverse: 0 is the end. */
export function useScroller() {
  const scroller: Scroller = useRef<HTMLDivElement>(null);
  const [isAtEnd, setIsAtEnd] = useState(true);

  /** Scrolls to a message, and emphasises it for a moment. */
  function show(seq: number): void {
    const item = scroller.current?.querySelector(`[data-seq="${seq}"]`);
    item?.scrollIntoView({ block: 'center' });
    item?.classList.add('found');
    setTimeout(() => item?.classList.remove('found'), EMPHASIS);
  }

  return {
    scroller,
    isAtEnd,
    show,
    toEnd: () => scroller.current?.scrollTo({ top: 0 }),
    onScroll: () => setIsAtEnd((scroller.current?.scrollTop ?? 0) > -NEAR),
  };
}

/** Loads older messages when the returned element, at the beginning of the messages, comes into sight. */
export function useOlderMessages(chat: Chat, count: number, scroller: Scroller): Scroller {
  const beginning = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!beginning.current) return;
    const observer = new IntersectionObserver(
      ([entry]) => {
        if (entry?.isIntersecting && chat.hasOlder && count > 0) chat.loadOlder().catch(() => {});
      },
      { root: scroller.current, rootMargin: '400px 0px 0px' },
    );
    observer.observe(beginning.current);
    return () => observer.disconnect();
  }, [chat, count]);
  return beginning;
}

/** Loads and shows the message at `seq`, if there is one in the address of the page. */
export function useLinkedMessage(chat: Chat, seq: number | undefined, show: (seq: number) => void): void {
  useEffect(() => {
    if (seq === undefined) return;
    chat.loadOlder(seq).then(
      () => requestAnimationFrame(() => show(seq)),
      () => {},
    );
  }, [chat, seq]);
}

/** Scrolls to the end when this user sends a message, so that it is in sight. */
export function useShowSent(newest: ChatMessage | undefined, toEnd: () => void): void {
  useLayoutEffect(() => {
    if (newest?.status === 'sending') toEnd();
  }, [newest?.key]);
}
