import { useEffect, useState } from 'preact/hooks';
import type { ChatAddress } from '../../src/client/index.ts';
import { home } from './account.ts';

/** What the page shows beside the list, kept in the address: a reload or a link comes back to it. */
export type Route =
  | { readonly page: 'home' }
  | { readonly page: 'chat'; readonly address: ChatAddress; readonly seq?: number }
  | { readonly page: 'join'; readonly code: string };

export const chatHref = (address: ChatAddress, seq?: number): string => {
  const path = address.groupId === undefined ? `#/user/${address.receiverId}` : `#/group/${address.groupId}`;
  return seq === undefined ? path : `${path}/${seq}`;
};

export const inviteHref = (code: string): string => new URL(`#/join/${code}`, home).href;

export function go(href: string): void {
  location.hash = href;
}

function read(): Route {
  const [, kind, id, seq] = location.hash.split('/');
  if (kind === 'join' && id) return { page: 'join', code: decoded(id) };
  const number = Number(id);
  if (!Number.isSafeInteger(number) || number < 1) return { page: 'home' };
  const at = Number(seq) > 0 ? { seq: Number(seq) } : {};
  if (kind === 'user') return { page: 'chat', address: { receiverId: number }, ...at };
  if (kind === 'group') return { page: 'chat', address: { groupId: number }, ...at };
  return { page: 'home' };
}

/** A text of the address; one that is cut off in the middle of a character as it is. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

export function useRoute(): Route {
  const [route, setRoute] = useState(read);
  useEffect(() => {
    const changed = () => setRoute(read());
    addEventListener('hashchange', changed);
    return () => removeEventListener('hashchange', changed);
  }, []);
  return route;
}
