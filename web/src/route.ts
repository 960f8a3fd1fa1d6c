import { useEffect, useState } from 'preact/hooks';
import type { ChatAddress } from '../../src/client/index.ts';
import { home } from './account.ts';

/** The view beside the list, in the fragment of the address: reloads and links lead to it. */
export type Route =
  | { readonly page: 'home' }
  | { readonly page: 'chat'; readonly address: ChatAddress; readonly seq?: number }
  | { readonly page: 'join'; readonly code: string };

/** Returns the link to a chat, or to a message in it. */
export const chatHref = (address: ChatAddress, seq?: number): string => {
  const path = address.groupId === undefined ? `#/user/${address.receiverId}` : `#/group/${address.groupId}`;
  return seq === undefined ? path : `${path}/${seq}`;
};

/** Returns the link to hand out for an invite. */
export const inviteHref = (code: string): string => new URL(`#/join/${code}`, home).href;

/** Navigates to a link of this page. */
export function go(href: string): void {
  location.hash = href;
}

/** Parses the fragment of the address; anything unknown is home. */
function readRoute(): Route {
  const [, kind, id, seq] = location.hash.split('/');
  if (kind === 'join' && id) return { page: 'join', code: decoded(id) };
  const number = Number(id);
  if (!Number.isSafeInteger(number) || number < 1) return { page: 'home' };
  const at = Number(seq) > 0 ? { seq: Number(seq) } : {};
  if (kind === 'user') return { page: 'chat', address: { receiverId: number }, ...at };
  if (kind === 'group') return { page: 'chat', address: { groupId: number }, ...at };
  return { page: 'home' };
}

/** Decodes a part of the address; returns it unchanged if an escape sequence is malformed. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Returns the route, and renders again when it changes. */
export function useRoute(): Route {
  const [route, setRoute] = useState(readRoute);
  useEffect(() => {
    const changed = () => setRoute(readRoute());
    addEventListener('hashchange', changed);
    return () => removeEventListener('hashchange', changed);
  }, []);
  return route;
}
