// An order system: has a group with the customer for each order, reports there how the order stands, and answers.
//   PARLEY_KEY=pk_… node examples/orders.js     connects to PARLEY_URL, by default http://localhost:3000
// Operators make the key: npm run --silent admin -- key create orders act,users,events
// Each line of the input is a change of an order: its number, the customer's id at the shop, and the new state, such as
//   1001 c-19 shipped
// In a project of your own, import '@parley-chat/service'.
import { readFileSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { connectService } from 'parley/service';

/** @typedef {{ number: string, groupId: number, state: string }} Order */

// A file stands for the database of the shop.
const file = process.env.ORDERS_FILE ?? 'orders.json';
const orders = /** @type {Order[]} */ (read());

const service = connectService({
  url: process.env.PARLEY_URL ?? 'http://localhost:3000',
  key: process.env.PARLEY_KEY ?? '',
});
service.on('connectError', ({ message }) => console.log(message));
await service.online();

const SHOP = { externalId: 'shop' };
const { data } = await service.call('upsertUsers', { users: [{ ...SHOP, username: 'shop', isBot: true }] });
const shopId = data[0]?.userId;
const shop = service.as(SHOP);

// Events come at least once. They are acknowledged when this has resolved, also those that were sent while it did not run.
const subscription = service.consume('orders', { types: ['message'] }, async (events) => {
  for (const { eventId, command, state } of events) {
    if (command !== 'messageInGroup' || state.senderId === shopId) continue;
    const order = orders.find(({ groupId }) => groupId === state.groupId);
    // The same event makes the same clientMessageId, so that a message is answered once.
    if (order) await say(order, answer(order, state.message), `answer-${eventId}`);
  }
});
subscription.ended.catch(({ message }) => {
  console.log(message);
  process.exit(1);
});
console.log('online');

// Docker and systemd stop programs by this signal. What has begun is finished and acknowledged.
process.once('SIGTERM', () => service.close().then(() => process.exit()));

for await (const line of createInterface({ input: process.stdin })) {
  const [number, customerId, state] = line.trim().split(/\s+/);
  if (!number || !customerId || !state) console.log('expected: NUMBER CUSTOMER STATE');
  else await change(number, customerId, state).catch(({ message }) => console.log(message));
}

/**
 * Has the same effect as once when it is repeated.
 * @param {string} number
 * @param {string} customerId
 * @param {string} state
 */
async function change(number, customerId, state) {
  const order = orders.find((one) => one.number === number) ?? (await create(number, customerId));
  order.state = state;
  save();
  await say(order, `Order ${number} is ${state}.`, `order-${number}-${state}`);
  console.log(`${number} ${state}`);
}

/**
 * @param {string} number
 * @param {string} customerId
 * @returns {Promise<Order>}
 */
async function create(number, customerId) {
  const { data } = await service.call('upsertUsers', { users: [{ externalId: customerId }] });
  const { groupId } = await shop.call('newGroup', {
    groupName: `Order ${number}`,
    isPrivate: true,
    userIds: data.map(({ userId }) => userId),
    clientMessageId: `order-${number}`,
  });
  const order = { number, groupId, state: 'new' };
  orders.push(order);
  return order;
}

/**
 * @param {Order} order
 * @param {string} message
 */
function answer(order, message) {
  if (/\bcancel\b/i.test(message)) {
    if (order.state === 'shipped') return `Order ${order.number} is shipped already. You can send it back.`;
    order.state = 'cancelled';
    save();
  } else if (!/\bwhere\b/i.test(message)) return 'You can ask "where is it?", or "cancel" the order.';
  return `Order ${order.number} is ${order.state}.`;
}

/**
 * @param {Order} order
 * @param {string} content
 * @param {string} clientMessageId
 */
function say({ groupId }, content, clientMessageId) {
  return shop.call('messageInGroup', { groupId, content, clientMessageId });
}

function read() {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (/** @type {any} */ error) {
    if (error.code === 'ENOENT') return []; // the first start
    throw error;
  }
}

function save() {
  writeFileSync(file, JSON.stringify(orders));
}
