import type { ChatAddress } from '@parley-chat/client';
import { useChat, useChats, useClient, useConnectionState, usePresence } from '@parley-chat/client/react';
import { useEffect, useState } from 'react';
import { Form } from './Form.tsx';

export function Messenger() {
  const state = useConnectionState();
  const chats = useChats();
  const [address, setAddress] = useState<ChatAddress>();
  return (
    <>
      <p role="status">{state}</p>
      <FindUser found={(receiverId) => setAddress({ receiverId })} />
      <nav>
        {chats.map((chat) => (
          <button type="button" key={chat.key} onClick={() => setAddress(chat.address)}>
            {chat.name} {chat.unreadCount > 0 && `(${chat.unreadCount})`}
          </button>
        ))}
      </nav>
      {address && <Conversation address={address} key={JSON.stringify(address)} />}
    </>
  );
}

function FindUser({ found }: { found: (userId: number) => void }) {
  const { call } = useClient();
  const [problem, setProblem] = useState('');
  const find = async (fields: FormData) => {
    try {
      const { data } = await call('searchUsers', { query: String(fields.get('query')) });
      if (data[0]) found(data[0].userId);
      setProblem(data[0] ? '' : 'Nobody has that name');
    } catch (error) {
      setProblem((error as Error).message);
    }
  };
  return (
    <Form entered={find}>
      <label>
        Write to <input name="query" required />
      </label>
      <p role="alert">{problem}</p>
    </Form>
  );
}

function Conversation({ address }: { address: ChatAddress }) {
  const { chat, summary, messages, typing, hasOlder } = useChat(address);
  const newest = summary?.lastMessage.seq;
  useEffect(() => {
    chat.markRead().catch(() => {}); // the user may have left the group
  }, [chat, newest]);
  const send = (fields: FormData) => {
    chat.send(String(fields.get('content'))).catch(() => {}); // shown as failed
  };
  return (
    <main>
      <h1>{summary?.name}</h1>
      {address.receiverId !== undefined && <PresenceOf userId={address.receiverId} />}
      {hasOlder && (
        <button type="button" onClick={() => chat.loadOlder()}>
          Older
        </button>
      )}
      <ol>
        {messages.map(({ key, senderName, content, status }) => (
          <li key={key}>
            {senderName}: {content} <small>{status}</small>
          </li>
        ))}
      </ol>
      <p>{typing.length > 0 && `${typing.join(', ')} …`}</p>
      <Form entered={send}>
        <label>
          Message <input name="content" required onInput={() => chat.setTyping(true)} />
        </label>
        <button type="submit">Send</button>
      </Form>
    </main>
  );
}

function PresenceOf({ userId }: { userId: number }) {
  const presence = usePresence(userId);
  return <p>{presence?.online ? 'online' : 'offline'}</p>;
}
