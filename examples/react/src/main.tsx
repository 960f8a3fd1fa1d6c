import { type Client, connect } from '@parley-chat/client';
import { ParleyProvider } from '@parley-chat/client/react';
import { StrictMode, useState } from 'react';
import { createRoot } from 'react-dom/client';
import { LogIn } from './LogIn.tsx';
import { Messenger } from './Messenger.tsx';

/** The client is created by the login, not by a rendering: React may render a component several times. */
function App() {
  const [client, setClient] = useState<Client>();
  if (!client) return <LogIn entered={(token) => setClient(connect({ url: '/ws', token }))} />;
  return (
    <ParleyProvider client={client}>
      <Messenger />
    </ParleyProvider>
  );
}

createRoot(document.getElementById('root') as HTMLElement).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
