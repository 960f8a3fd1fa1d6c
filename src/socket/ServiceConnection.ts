import type { ServiceKey } from '../auth/serviceKeys.ts';
import type { ConnectionId } from '../ids.ts';
import type { PublishToTopic } from '../net/listener.ts';
import { SocketConnection } from './SocketConnection.ts';

/** The connection of a backend, which has presented an API key. */
export class ServiceConnection extends SocketConnection {
  readonly key: ServiceKey;
  /** True if it has sent something since its use was noted last. */
  isUsed = false;

  constructor(
    id: ConnectionId,
    key: ServiceKey,
    address: string,
    device: string | null,
    publish: PublishToTopic,
  ) {
    super(id, address, device, publish);
    this.key = key;
  }

  get owner() {
    return { keyId: this.key.id };
  }
}
