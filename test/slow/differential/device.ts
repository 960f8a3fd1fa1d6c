import { type Client, type ClientOptions, connect } from '../../../src/client/node.ts';

/** A client on a device that reports when its network is back. */
export interface Device {
  readonly client: Client;
  /** Emits the event of browsers, on which the client reconnects at once. */
  wake(): void;
}

/** Connects a client that listens for the events of a device, which Node does not have. */
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
