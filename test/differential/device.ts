import { type Client, type ClientOptions, connect } from '../../src/client/node.ts';

/** A client on a device that says when its network is back. */
export interface Device {
  readonly client: Client;
  /** Says it, as browsers do to pages: the client tries at once to connect again. */
  wake(): void;
}

/** Connects a client that listens for the events of a device, which there are none of in Node. */
export function connectDevice(options: ClientOptions): Device {
  const events = new EventTarget();
  const { addEventListener, removeEventListener } = globalThis;
  try {
    globalThis.addEventListener = events.addEventListener.bind(events);
    const client = connect(options);
    return { client, wake: () => events.dispatchEvent(new Event('online')) };
  } finally {
    Object.assign(globalThis, { addEventListener, removeEventListener });
  }
}
