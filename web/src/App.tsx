import { useEffect, useState } from 'preact/hooks';
import type { Client } from '../../src/client/index.ts';
import { enter, forget, keptToken } from './account.ts';
import { ClientContext } from './hooks.ts';
import { Messenger } from './Messenger.tsx';
import { Welcome } from './Welcome.tsx';

/** The way in, or the messenger once somebody is there. */
export function App() {
  const [client, setClient] = useState<Client | undefined>(() => {
    const token = keptToken();
    return token === null ? undefined : enter({ token });
  });
  const [notice, setNotice] = useState<string>();

  useEffect(
    () =>
      client?.on('state', (state) => {
        if (state !== 'closed') return;
        if (keptToken() !== null) setNotice('You were logged out. Please log in again.');
        forget();
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
          setClient(enter(entrance));
        }}
      />
    );
  const leave = (reason?: string) => {
    setNotice(reason);
    forget();
    client.close();
  };
  return (
    <ClientContext.Provider value={client}>
      <Messenger onLeave={leave} />
    </ClientContext.Provider>
  );
}
