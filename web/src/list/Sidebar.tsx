import { useEffect, useState } from 'preact/hooks';
import { useClient, useLoaded, useSettled, useValue } from '../hooks.ts';
import { NewPanel } from '../panels/NewPanel.tsx';
import { SettingsPanel } from '../panels/SettingsPanel.tsx';
import { Icon } from '../parts/Icon.tsx';
import { useRoute } from '../route.ts';
import { ChatRow } from './ChatRow.tsx';
import { Results } from './Results.tsx';

/** The list of chats or, while the user searches, the results. */
export function Sidebar({ onLeave }: { onLeave(notice?: string): void }) {
  const client = useClient();
  const chats = useValue(client.chats);
  const [query, setQuery] = useState('');
  const [showsArchived, setShowsArchived] = useState(false);
  const [panel, setPanel] = useState<'new' | 'settings'>();
  const isLoaded = useLoaded(() => client.chats.loaded.then(() => true), [client]).value === true;
  const settled = useSettled(query.trim());
  const route = useRoute();
  useEffect(() => setQuery(''), [route]); // a result was opened
  const shown = chats.filter(({ archived }) => archived === showsArchived);
  const archived = chats.length - chats.filter((chat) => !chat.archived).length;

  return (
    <nav class="sidebar" aria-label="Chats">
      <header>
        <h1>Parley</h1>
        <button type="button" class="quiet" aria-label="New chat or group" onClick={() => setPanel('new')}>
          <Icon name="plus" />
        </button>
        <button type="button" class="quiet" aria-label="Settings" onClick={() => setPanel('settings')}>
          <Icon name="settings" />
        </button>
      </header>
      <div class="search">
        <Icon name="search" />
        <input
          type="search"
          aria-label="Search people, chats and messages"
          placeholder="Search"
          value={query}
          onInput={(event) => setQuery(event.currentTarget.value)}
        />
      </div>
      {settled ? (
        <Results query={settled} />
      ) : (
        <>
          <ul class="rows chats">
            {shown.map((chat) => (
              <ChatRow key={chat.key} chat={chat} />
            ))}
          </ul>
          {shown.length === 0 && isLoaded && (
            <p class="empty">
              {showsArchived ? (
                'No archived chats.'
              ) : (
                <>
                  No chats yet. Search for a person by name, or{' '}
                  <a href="?another" target="_blank" rel="noreferrer">
                    open a second window
                  </a>{' '}
                  as somebody else.
                </>
              )}
            </p>
          )}
          {(archived > 0 || showsArchived) && (
            <button type="button" class="link archived" onClick={() => setShowsArchived(!showsArchived)}>
              {showsArchived ? 'Back to the chats' : `Archived (${archived})`}
            </button>
          )}
        </>
      )}
      {panel === 'new' && <NewPanel onClose={() => setPanel(undefined)} />}
      {panel === 'settings' && <SettingsPanel onClose={() => setPanel(undefined)} onLeave={onLeave} />}
    </nav>
  );
}
