/**
 * `@parley-chat/client/react`: the state of a client for components of React 18 and 19.
 *
 * @packageDocumentation
 */
import {
  createContext,
  createElement,
  type ReactNode,
  useCallback,
  useContext,
  useSyncExternalStore,
} from 'react';
import type {
  Chat,
  ChatAddress,
  ChatMessage,
  ChatSummary,
  Client,
  Observable,
  Presence,
  State,
} from './index.ts';

const ClientContext = createContext<Client | undefined>(undefined);

/** Gives a client to the hooks in its children. It does not close the client. */
export function ParleyProvider({ client, children }: { client: Client; children?: ReactNode }): ReactNode {
  return createElement(ClientContext.Provider, { value: client }, children);
}

/** Returns the client of the nearest {@link ParleyProvider}. Throws if there is none. */
export function useClient(): Client {
  const client = useContext(ClientContext);
  if (!client)
    throw new Error('A hook of @parley-chat/client/react needs a <ParleyProvider> around its component');
  return client;
}

/** Returns the chats of this user: pinned ones first, then by their newest message. */
export function useChats(): readonly ChatSummary[] {
  return useObservable(useClient().chats);
}

/** A chat and its present state. */
export interface UsedChat {
  readonly chat: Chat;
  readonly summary: ChatSummary | undefined;
  readonly messages: readonly ChatMessage[];
  /** The usernames of the other users who are typing. */
  readonly typing: readonly string[];
  /** True if there may be messages before the first one; {@link Chat.loadOlder} reads them. */
  readonly hasOlder: boolean;
}

/** Returns a chat with its messages. The address may be a new object for each rendering. */
export function useChat(address: ChatAddress): UsedChat {
  const chat = useClient().chat(address);
  const summary = useObservable(chat.summary);
  const messages = useObservable(chat.messages);
  const typing = useObservable(chat.typing);
  return { chat, summary, messages, typing, hasOlder: chat.hasOlder };
}

/** Returns the presence of a user; undefined until it is known. */
export function usePresence(userId: number): Presence | undefined {
  return useObservable(useClient().presence(userId));
}

/** Returns the state of the connection. */
export function useConnectionState(): State {
  const client = useClient();
  const subscribe = useCallback((listener: () => void) => client.on('state', listener), [client]);
  const read = () => client.state;
  return useSyncExternalStore(subscribe, read, read);
}

function useObservable<Value>(observable: Observable<Value>): Value {
  const read = () => observable.value;
  return useSyncExternalStore(observable.subscribe, read, read);
}
