import { createContext } from 'preact';
import { useContext, useEffect, useLayoutEffect, useReducer, useState } from 'preact/hooks';
import { type Client, type Observable, ParleyError } from '../../src/client/index.ts';

export const ClientContext = createContext<Client | undefined>(undefined);

/** Returns the client; only components inside a `ClientContext.Provider` may call it. */
export function useClient(): Client {
  const client = useContext(ClientContext);
  if (!client) throw new Error('useClient must be called inside a ClientContext.Provider');
  return client;
}

/** Returns the value of an observable, and renders again when it changes. */
export function useValue<Value>(observable: Observable<Value>): Value {
  const [, again] = useReducer((count: number) => count + 1, 0);
  useLayoutEffect(() => observable.subscribe(() => again(0)), [observable]);
  return observable.value;
}

/** Returns the result of `load`, called again when one of the inputs changes and by `reload`. */
export function useLoaded<Value>(load: () => Promise<Value>, inputs: readonly unknown[]) {
  const [value, setValue] = useState<Value>();
  const [error, setError] = useState<string>();
  const [round, reload] = useReducer((count: number) => count + 1, 0);
  useEffect(() => {
    let current = true;
    load().then(
      (loaded) => {
        if (!current) return;
        setValue(() => loaded);
        setError(undefined);
      },
      (reason) => current && setError(sentence(reason)),
    );
    return () => {
      current = false;
    };
  }, [...inputs, round]);
  return { value, error, reload: () => reload(0) };
}

/** Returns a function that runs an action of the user, its error as a sentence, and if it is under way. */
export function useAction() {
  const [error, setError] = useState<string>();
  const [busy, setBusy] = useState(false);
  const run = async (action: () => Promise<unknown>): Promise<boolean> => {
    setBusy(true);
    setError(undefined);
    try {
      await action();
      return true;
    } catch (reason) {
      setError(sentence(reason));
      return false;
    } finally {
      setBusy(false);
    }
  };
  return { run, error, busy };
}

/** Returns a value once it has not changed for some milliseconds, and its predecessor until then (debounce). */
export function useSettled<Value>(value: Value, milliseconds = 200): Value {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(() => value), milliseconds);
    return () => clearTimeout(timer);
  }, [value, milliseconds]);
  return settled;
}

/** Returns the error text of the server without the path of the parameter; a general one for any other error. */
export function sentence(reason: unknown): string {
  if (!(reason instanceof ParleyError)) return 'Something went wrong. Please try again.';
  const text = reason.message.replace(/^(params|body)\.(\w)/, (_, __, letter: string) =>
    letter.toUpperCase(),
  );
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
