import { expect } from 'chai';
import { Emitter } from '../../src/client/Emitter.ts';

describe('an emitter of the typed client', () => {
  const emitter = () => new Emitter<{ one: number; other: string }>();

  it('calls the listeners of a name in the order of their registration', () => {
    const events = emitter();
    const calls: string[] = [];
    events.on('one', (value) => calls.push(`a ${value}`));
    events.on('other', (value) => calls.push(`b ${value}`));
    events.on('one', (value) => calls.push(`c ${value}`));
    events.emit('one', 1);
    expect(calls).to.deep.equal(['a 1', 'c 1']);
  });

  it('calls a listener that was added within an event from the next one on', () => {
    const events = emitter();
    const calls: string[] = [];
    const stop = events.on('one', (value) => {
      calls.push(`a ${value}`);
      stop();
      events.on('one', (later) => calls.push(`b ${later}`));
    });
    events.emit('one', 1);
    expect(calls).to.deep.equal(['a 1']);
    events.emit('one', 2);
    expect(calls).to.deep.equal(['a 1', 'b 2']);
  });

  it('removes the one listener that unsubscribes', () => {
    const events = emitter();
    const calls: string[] = [];
    const stops = ['a', 'b'].map((name) => events.on('one', () => calls.push(name)));
    stops[0]?.();
    stops[0]?.();
    events.emit('one', 1);
    expect(calls).to.deep.equal(['b']);
  });
});
