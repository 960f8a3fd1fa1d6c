import { expect } from 'chai';
import { ByteBudget } from '../../src/ByteBudget.ts';
import { CommandQueue } from '../../src/socket/CommandQueue.ts';
import { OWN_SHARE, UnansweredBytes } from '../../src/socket/UnansweredBytes.ts';

/** A queue, the names of the commands that started or had to wait, and the replies that were sent. */
function newQueue(hasRoom = () => true, budget = new ByteBudget(0, 1)) {
  const sent: string[] = [];
  const started: string[] = [];
  const answers = new Map<string, () => void>();
  const memory = new UnansweredBytes(budget.of('somebody'));
  const queue = new CommandQueue({ send: (reply) => sent.push(reply), hasRoom, memory });
  const push = (name: string, pipelined = false, bytes = 1) =>
    queue.push({
      pipelined,
      bytes,
      wait: () => started.push(`${name} waits`),
      run(answer) {
        started.push(name);
        answers.set(name, () => answer(name));
      },
    });
  return { queue, memory, sent, started, push, answer: (name: string) => answers.get(name)?.() };
}

describe('the command queue of a connection', () => {
  it('runs commands one after another, and replies in the order of the requests', () => {
    const { queue, sent, started, push, answer } = newQueue();
    for (const name of ['one', 'two']) push(name);
    expect([started, queue.length]).to.deep.equal([['one', 'two waits'], 2]);
    answer('one');
    answer('two');
    expect([started.at(-1), sent, queue.length]).to.deep.equal(['two', ['one', 'two'], 0]);
  });

  it('runs pipelined neighbours together, and holds their replies until those before are sent', () => {
    const { sent, started, push, answer } = newQueue();
    for (const name of ['one', 'two', 'three']) push(name, true);
    expect(started).to.deep.equal(['one', 'two', 'three']);
    answer('three');
    answer('two');
    expect(sent).to.deep.equal([]);
    answer('one');
    expect(sent).to.deep.equal(['one', 'two', 'three']);
  });

  it('starts no command beside a pipelined one, and no pipelined one beside another command', () => {
    const { started, push, answer } = newQueue();
    push('send', true);
    push('read');
    push('send again', true);
    expect(started).to.deep.equal(['send', 'read waits', 'send again waits']);
    answer('send');
    expect(started.at(-1)).to.equal('read');
    answer('read');
    expect(started.at(-1)).to.equal('send again');
  });

  it('replies to any number of commands that are done at once behind one that takes its time', () => {
    const { queue, sent, push, answer } = newQueue();
    push('slow');
    const count = 20_000;
    for (let n = 0; n < count; n++) queue.push({ pipelined: true, bytes: 1, run: (reply) => reply(`${n}`) });
    answer('slow');
    expect(sent.length).to.equal(count + 1);
    expect(sent.at(-1)).to.equal(`${count - 1}`);
  });

  it('keeps the order, and the number of commands without a reply, over hundreds of commands', () => {
    const { queue, sent, push, answer } = newQueue();
    const names = Array.from({ length: 400 }, (_, n) => `${n}`);
    for (const name of names) push(name, true);
    for (const name of names.slice(0, 150)) answer(name);
    expect(queue.length).to.equal(250);
    for (const name of names.slice(150, 399)) answer(name);
    expect(queue.length).to.equal(1);
    push('last');
    answer('399');
    answer('last');
    expect(sent).to.deep.equal([...names, 'last']);
    expect(queue.length).to.equal(0);
  });

  it('starts only pipelined commands while the client has no room for replies', () => {
    let room = false;
    const { queue, started, push, answer } = newQueue(() => room);
    push('send', true);
    push('read');
    answer('send');
    push('send again', true);
    expect(started).to.deep.equal(['send', 'read waits', 'send again waits']);
    room = true;
    queue.resume();
    answer('read');
    expect(started.slice(3)).to.deep.equal(['read', 'send again']);
  });

  it('starts nothing more once it is stopped, and sends no reply', () => {
    const { queue, memory, sent, started, push, answer } = newQueue();
    for (const name of ['one', 'two']) push(name);
    queue.stop();
    push('three');
    answer('one');
    queue.resume();
    expect(started).to.deep.equal(['one', 'two waits']);
    expect(sent).to.deep.equal([]);
    expect([queue.length, memory.total]).to.deep.equal([0, 0]);
  });

  it('starts nothing more once it is finished, but replies to what runs', () => {
    const { queue, sent, started, push, answer } = newQueue();
    for (const name of ['one', 'two']) push(name);
    queue.finish();
    push('three');
    answer('one');
    expect([started, sent]).to.deep.equal([['one', 'two waits'], ['one']]);
  });

  it('goes on when sending a reply fails', () => {
    const sent: string[] = [];
    const memory = new UnansweredBytes(new ByteBudget(0, 1).of('somebody'));
    const queue = new CommandQueue({
      send(reply) {
        if (reply === 'one') throw new Error('closed');
        sent.push(reply);
      },
      hasRoom: () => true,
      memory,
    });
    let answerOne: (reply: string) => void = () => {};
    queue.push({
      pipelined: true,
      bytes: 1,
      run(answer) {
        answerOne = answer;
      },
    });
    expect(() => answerOne('one')).to.throw('closed');
    queue.push({ pipelined: false, bytes: 1, run: (answer) => answer('two') });
    expect([sent, queue.length, memory.total]).to.deep.equal([['two'], 0, 0]);
  });

  it('counts the bytes of commands without a reply, and for all connections what is over its own share', () => {
    const budget = new ByteBudget(10_000, 1);
    const { memory, push, answer } = newQueue(() => true, budget);
    push('one', false, 10_000);
    expect(budget.used).to.equal(0);
    push('two', false, 10_000);
    expect([memory.total, budget.used]).to.deep.equal([20_000, 20_000 - OWN_SHARE]);
    answer('one');
    expect([memory.total, budget.used]).to.deep.equal([10_000, 0]);
  });

  it('has no room for what is over the budget of all connections, beyond its own share', () => {
    const { memory, push } = newQueue(() => true, new ByteBudget(10_000, 1));
    push('one', false, 20_000);
    expect([memory.fits(6_384), memory.fits(6_385), memory.fits(6_385, 2)]).to.deep.equal([
      true,
      false,
      true,
    ]);
    const { memory: poor } = newQueue(() => true, new ByteBudget(0, 1));
    expect([poor.fits(OWN_SHARE), poor.fits(OWN_SHARE + 1)]).to.deep.equal([true, false]);
  });

  it('gives back the bytes of all its commands when it is stopped', () => {
    const budget = new ByteBudget(100_000, 1);
    const { queue, memory, push } = newQueue(() => true, budget);
    for (const name of ['one', 'two', 'three']) push(name, false, 20_000);
    expect(budget.used).to.equal(60_000 - OWN_SHARE);
    queue.stop();
    expect([budget.used, memory.total]).to.deep.equal([0, 0]);
  });
});
