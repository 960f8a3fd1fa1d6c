import { startHub, startMemory, startNats, startSimulated } from '../support/busClusters.ts';
import { type NatsServer, natsServer } from '../support/nats.ts';
import { describePromises } from './promises.ts';

describe('the ordered bus over the memory of one node', () => {
  describePromises(startMemory);
});

describe('the ordered bus over a simulated network', () => {
  describePromises(startSimulated);
});

describe('the ordered bus over the protocol of nodes without a server', () => {
  describePromises(startHub);
});

describe('the ordered bus over NATS', () => {
  let nats: NatsServer | undefined;

  before(async function () {
    nats = await natsServer();
    if (nats) return nats.start();
    console.log('      skipped: there is no nats-server here');
    this.skip();
  });
  after(() => nats?.stop());

  describePromises(
    startNats(() => {
      if (!nats) throw new Error('there is no nats-server here');
      return nats;
    }),
  );
});
