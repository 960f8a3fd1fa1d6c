/** Returns the base of a URL as users write it: `http:` or `ws:`, with or without `/ws`; in a page it may be relative. */
function baseOf(url: string): URL {
  const base = new URL(url, globalThis.location?.href);
  base.pathname = base.pathname.replace(/(\/ws)?\/?$/, '/');
  return base;
}

/** Returns the URL of the WebSocket of a server. Throws a `TypeError` if `url` is not a URL. */
export function socketUrl(url: string, device?: string): string {
  const socket = new URL('ws', baseOf(url));
  if (device !== undefined) socket.searchParams.set('device', device);
  return socket.href.replace(/^http/, 'ws');
}

/** Returns the URL of an HTTP call of a server. Throws a `TypeError` if `url` is not a URL. */
export function httpUrl(url: string, path: string): string {
  return new URL(path, baseOf(url)).href.replace(/^ws/, 'http');
}
