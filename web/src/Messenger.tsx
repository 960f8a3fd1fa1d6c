import { useEffect, useState } from 'preact/hooks';
import type { State } from '../../src/client/index.ts';
import { Conversation } from './chat/Conversation.tsx';
import { useAction, useClient, useSettled, useValue } from './hooks.ts';
import { Sidebar } from './list/Sidebar.tsx';
import { Icon } from './parts/Icon.tsx';
import { Problem } from './parts/Problem.tsx';
import { chatHref, go, useRoute } from './route.ts';

/** The list of chats beside the open chat; on a narrow screen, one of the two. */
export function Messenger({ onLeave }: { onLeave(notice?: string): void }) {
  const client = useClient();
  const route = useRoute();
  const [state, setState] = useState<State>(client.state);
  useEffect(() => client.on('state', setState), [client]);
  const isOffline = useSettled(state, 500) !== 'online' && state !== 'online';
  useTitle();

  const key = route.page === 'chat' ? chatHref(route.address) : route.page;
  return (
    <div class={`messenger ${route.page === 'home' ? 'at-home' : 'at-chat'}`}>
      {isOffline && (
        <p class="offline" role="status">
          No connection. Messages are sent once it is restored.
        </p>
      )}
      <Sidebar onLeave={onLeave} />
      {route.page === 'chat' ? (
        <Conversation key={key} address={route.address} seq={route.seq} />
      ) : route.page === 'join' ? (
        <Join key={route.code} code={route.code} />
      ) : (
        <main class="nothing-open">
          <Icon name="logo" />
          <p>Choose a chat, or search for a person by name.</p>
        </main>
      )}
    </div>
  );
}

/** The page behind an invite link. */
function Join({ code }: { readonly code: string }) {
  const client = useClient();
  const { run, error, busy } = useAction();
  const join = () =>
    run(async () => {
      const { groupId } = await client.call('joinByInvite', { code });
      go(chatHref({ groupId }));
    });
  return (
    <main class="nothing-open">
      <Icon name="people" />
      <p>You are invited to a group.</p>
      <Problem text={error} />
      <button type="button" class="primary" disabled={busy} onClick={join}>
        Join the group
      </button>
      <a href="#/">Not now</a>
    </main>
  );
}

/** Shows the number of unread messages in the title of the window. */
function useTitle(): void {
  const chats = useValue(useClient().chats);
  const unread = chats.reduce((sum, chat) => sum + (chat.muted ? 0 : chat.unreadCount), 0);
  useEffect(() => {
    document.title = unread > 0 ? `(${unread}) Parley` : 'Parley';
    return () => {
      document.title = 'Parley'; // the login form has no unread messages
    };
  }, [unread]);
}
