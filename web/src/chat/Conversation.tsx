import { useState } from 'preact/hooks';
import type { ChatAddress } from '../../../src/client/index.ts';
import { useClient, useValue } from '../hooks.ts';
import { Icon } from '../parts/Icon.tsx';
import { Announcement } from './Announcement.tsx';
import { Composer, type Intent } from './Composer.tsx';
import { Header } from './Header.tsx';
import { MessageList } from './MessageList.tsx';
import { useFirstUnread, useMarkRead } from './reading.ts';
import { useLinkedMessage, useOlderMessages, useScroller, useShowSent } from './scrolling.ts';

interface Props {
  readonly address: ChatAddress;
  /** The message to scroll to. */
  readonly seq: number | undefined;
}

/** A chat: its header, its messages from the oldest loaded one to the newest, and the field to write. */
export function Conversation({ address, seq }: Props) {
  const chat = useClient().chat(address);
  const summary = useValue(chat.summary);
  const messages = useValue(chat.messages);
  const typing = useValue(chat.typing);
  const [intent, setIntent] = useState<Intent>();
  const { scroller, isAtEnd, show, toEnd, onScroll } = useScroller();
  const firstUnread = useFirstUnread(messages, summary);
  useMarkRead(chat, summary, isAtEnd);
  const beginning = useOlderMessages(chat, messages.length, scroller);
  useLinkedMessage(chat, seq, show);
  useShowSent(messages.at(-1), toEnd);

  return (
    <main class="conversation">
      <Header address={address} summary={summary} typing={typing} />
      <div class="messages" ref={scroller} onScroll={onScroll}>
        <div class="messages-inner" role="log" aria-live="off" aria-label="Messages">
          <div ref={beginning} />
          {!chat.hasOlder && messages.length === 0 && <p class="empty">No messages yet. Say hello.</p>}
          <MessageList
            chat={chat}
            messages={messages}
            firstUnread={firstUnread}
            onShow={show}
            onIntent={setIntent}
          />
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
