import { pino } from 'pino';
import type { Bus, BusMessage, ChatPosition } from '../../src/bus/bus.ts';
import type { ChatRecord } from '../../src/bus/chatRecord.ts';
import { createMemoryTransport } from '../../src/bus/memory.ts';
import type { LinkEvents } from '../../src/bus/nats/link.ts';
import {
  createNatsTransport,
  createTransportOver,
  type NatsTransport,
} from '../../src/bus/nats/transport.ts';
import { createOrderedBus } from '../../src/bus/orderedBus.ts';
import type { Topic } from '../../src/bus/topics.ts';
import type { ChatId } from '../../src/ids.ts';
import { createGuard } from '../../src/net/guard.ts';
import { MemoryHub, type MemoryLink } from './memoryHub.ts';
import type { NatsServer } from './nats.ts';
import { startRelay } from './relay.ts';
import { SimulatedNetwork } from './simulatedNetwork.ts';
import { until } from './until.ts';
import { VirtualTime } from './virtualTime.ts';

/** The ordered bus of a node over some transport, and another node or process that publishes to it. */
export interface BusCluster {
  readonly bus: Bus;
  /** Publishes elsewhere. */
  publish(topic: Topic, message: BusMessage): void;
  /** Tells elsewhere how far a chat is. */
  publishHead(topic: Topic, head: ChatPosition): void;
  /** Takes the node away from the others; what is published then does not arrive. */
  cut(): Promise<void>;
  restore(): Promise<void>;
  /** Lets time pass until something holds. */
  until(holds: () => boolean): Promise<void>;
  close(): Promise<void>;
}

export interface ClusterOptions {
  readonly record: ChatRecord;
  readonly gapTooLarge: (topic: Topic, chatId: ChatId) => void;
  /** The node is back after an outage, and compares with the record. */
  readonly onReconcile: () => void;
}

/** Starts the node with a subscription to some topics, all of whose chats are empty. */
export type StartCluster = (options: ClusterOptions) => Promise<BusCluster>;

const log = pino({ level: process.env.LOG_LEVEL ?? 'silent' });
const rest = { log, underWay: async () => {}, gapFilled: () => {} };

/** One node. Another process writes by way of the outbox; an outage is one of the database. */
export const startMemory: StartCluster = async ({ record, gapTooLarge, onReconcile }) => {
  const time = new VirtualTime();
  const { schedule } = time;
  const transport = createMemoryTransport((topic, head) => bus.catchUp(topic, head));
  const bus: Bus = createOrderedBus(transport, { ...rest, record, gapTooLarge, schedule });
  let isCut = false;
  return {
    bus,
    publish: (topic, message) => isCut || bus.receive(topic, message),
    publishHead: (topic, head) => isCut || bus.receive(topic, { head }),
    async cut() {
      isCut = true;
    },
    async restore() {
      isCut = false;
      onReconcile();
    },
    until: (holds) => time.until(holds),
    close: () => bus.close(),
  };
};

/** Two nodes of a simulated network without faults but its outages. */
export const startSimulated: StartCluster = async ({ record, gapTooLarge, onReconcile }) => {
  const time = new VirtualTime();
  const network = new SimulatedNetwork(time.schedule);
  const node = network.join({ catchUp: (topic, head) => bus.catchUp(topic, head), reconcile: onReconcile });
  const other = network.join({ catchUp() {}, reconcile() {} });
  const bus: Bus = createOrderedBus(node, { ...rest, record, gapTooLarge, schedule: time.schedule });
  return {
    bus,
    publish: (topic, message) => other.publish(topic, message),
    publishHead: (topic, head) => other.publishHead(topic, head),
    cut: async () => node.cut(),
    restore: async () => node.restore(),
    until: (holds) => time.until(holds),
    close: () => bus.close(),
  };
};

/** Two nodes on a NATS server. */
export const startNats =
  (server: () => NatsServer): StartCluster =>
  async ({ record, gapTooLarge, onReconcile }) => {
    const relay = await startRelay(server().url);
    let wasConnected = false;
    const node = await createNatsTransport({ servers: [relay.url] }, log, {
      catchUp: (topic, head) => bus.catchUp(topic, head),
      reconcile: () => wasConnected && onReconcile(),
      resynchronise() {},
    });
    const other = await createNatsTransport({ servers: [server().url] }, log, {
      catchUp() {},
      reconcile() {},
      resynchronise() {},
    });
    const bus: Bus = createOrderedBus(node, { ...rest, record, gapTooLarge });
    const connected = (transport: NatsTransport) => until(() => transport.connected);
    await Promise.all([connected(node), connected(other)]);
    await Promise.all([node.settled(), other.settled()]);
    wasConnected = true;
    return {
      bus,
      publish: (topic, message) => other.publish(topic, message),
      publishHead: (topic, head) => other.publishHead(topic, head),
      async cut() {
        await relay.cut();
        await until(() => !node.connected);
      },
      async restore() {
        await relay.restore();
        await connected(node);
      },
      until,
      async close() {
        await Promise.all([bus.close(), other.close()]);
        await relay.cut();
      },
    };
  };

/** Two nodes with the protocol of the NATS transport, over a hub in memory instead of a server. */
export const startHub: StartCluster = async ({ record, gapTooLarge, onReconcile }) => {
  const hub = new MemoryHub();
  const guard = createGuard(log);
  const nothing = { catchUp() {}, reconcile() {}, resynchronise() {} };
  const links: MemoryLink[] = [];
  let wasConnected = false;
  const open = async (events: LinkEvents) => {
    const link = await hub.open(events);
    links.push(link);
    return link;
  };
  const node = await createTransportOver(open, guard, {
    ...nothing,
    catchUp: (topic, head) => bus.catchUp(topic, head),
    reconcile: () => wasConnected && onReconcile(),
  });
  const other = await createTransportOver(open, guard, nothing);
  const bus: Bus = createOrderedBus(node, { ...rest, record, gapTooLarge });
  await until(() => node.connected && other.connected);
  await Promise.all([node.settled(), other.settled()]);
  wasConnected = true;
  return {
    bus,
    publish: (topic, message) => other.publish(topic, message),
    publishHead: (topic, head) => other.publishHead(topic, head),
    cut: async () => links[0]?.cut(),
    restore: async () => links[0]?.restore(),
    until,
    close: async () => {
      await Promise.all([bus.close(), other.close()]);
    },
  };
};
