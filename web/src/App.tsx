import { useEffect, useState } from 'preact/hooks';
import type { Client } from '../../src/client/index.ts';
import { connectWith, removeToken, storedToken } from './account.ts';
import { ClientContext } from './hooks.ts';
import { Messenger } from './Messenger.tsx';
import { Welcome } from './Welcome.tsx';

/** The page: the login form, or the messenger once a user is logged in. */
export function App() {
  const [client, setClient] = useState<Client | undefined>(() => {
    const token = storedToken();
    return token === null ? undefined : connectWith({ token });
  });
  const [notice, setNotice] = useState<string>();

  useEffect(
    () =>
      client?.on('state', (state) => {
        if (state !== 'closed') return;
        if (removeToken()) setNotice('You were logged out. Please log in again.');
        setClient(undefined);
      }),
    [client],
  );

  if (!client)
    return (
      <Welcome
        notice={notice}
        onEntered={(entrance) => {
          setNotice(undefined);
          setClient(connectWith(entrance));
        }}
      />
    );
  const leave = (reason?: string) => {
    setNotice(reason);
    removeToken();
    client.close();
  };
  return (
    <ClientContext.Provider value={client}>
      <Messenger onLeave={leave} />
    </ClientContext.Provider>
  );
}
