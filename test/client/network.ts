import { WebSocket } from 'ws';
import type { Observable } from '../../src/client/index.ts';
import type { Frame } from '../support/client.ts';
import { until } from '../support/until.ts';

/** Resolves to the value once it is as expected. */
export function when<Value>(observable: Observable<Value>, holds: (value: Value) => unknown): Promise<Value> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new Error(`the value stayed ${JSON.stringify(observable.value, null, 1)}`)),
      15_000,
    );
    const look = () => {
      if (!holds(observable.value)) return;
      clearTimeout(timer);
      stop();
      resolve(observable.value);
    };
    const stop = observable.subscribe(look);
    look();
  });
}

/** Opens sockets whose frames reach the client when `receive` passes them on, changed or not. */
export const through =
  (receive: (frame: Frame, pass: (frame?: string) => void) => void) => (url: string, token: string) => {
    const socket = new WebSocket(url, ['auth', token]);
    const emit = socket.emit.bind(socket);
    socket.emit = (name: string | symbol, ...args: unknown[]) => {
      if (name !== 'message') return emit(name, ...args);
      receive(JSON.parse(String(args[0])), (frame) => emit(name, frame ?? args[0], false));
      return true;
    };
    return socket;
  };

/** Holds the replies to a command back, as a slow network would. */
export const holding = (type: string) => holdingFrames((frame) => frame.type === type && 'id' in frame);

/** Holds frames back, and releases them in one chunk. */
export function holdingFrames(isHeld: (frame: Frame) => boolean) {
  const held: (() => void)[] = [];
  let holds = false;
  const open = through((frame, pass) => {
    if (holds && isHeld(frame)) held.push(pass);
    else pass();
  });
  return {
    open,
    hold() {
      holds = true;
    },
    /** Resolves when a number of frames has arrived. */
    held: (count = 1) => until(() => held.length >= count),
    release() {
      holds = false;
      for (const pass of held.splice(0)) pass();
    },
  };
}
