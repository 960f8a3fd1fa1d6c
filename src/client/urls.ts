/** The address of a server as users write it, `http:` or `ws:`, with or without `/ws`; in a page it may be relative. */
function baseOf(url: string): URL {
  const base = new URL(url, globalThis.location?.href);
  base.pathname = base.pathname.replace(/(\/ws)?\/?$/, '/');
  return base;
}

/** Where the WebSocket of a server is. */
export function socketUrl(url: string, device?: string): string {
  const socket = new URL('ws', baseOf(url));
  socket.protocol = socket.protocol.replace('http', 'ws');
  if (device !== undefined) socket.searchParams.set('device', device);
  return socket.href;
}

/** Where an HTTP call of a server is. */
export function httpUrl(url: string, path: string): string {
  const call = new URL(path, baseOf(url));
  call.protocol = call.protocol.replace('ws', 'http');
  return call.href;
}
