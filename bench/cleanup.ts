/* Cleans up everything that a benchmark starts (servers, databases, folders, a worktree), however it ends. */

type Undo = () => Promise<unknown> | unknown;

const pending = new Set<Undo>();

/** Registers a cleanup function. The returned function runs it early; it runs only once. */
export function atEnd(undo: Undo): () => Promise<void> {
  pending.add(undo);
  return async () => {
    if (pending.delete(undo)) await undo();
  };
}

/** Runs all registered cleanup functions, the latest first. A failure is reported and does not stop the others. */
async function endAll(): Promise<void> {
  for (let undo = [...pending].at(-1); undo; undo = [...pending].at(-1)) {
    pending.delete(undo);
    try {
      await undo();
    } catch (error) {
      process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
    }
  }
}

/** Runs `main`, then the registered cleanup functions, also after a failure and on Ctrl-C, and exits. */
export function runToTheEnd(main: () => Promise<void>): void {
  let ending = false;
  const end = async (code?: number, error?: unknown) => {
    if (ending) return; // a failure because the server is being stopped
    ending = true;
    if (error !== undefined) process.stderr.write(`${error instanceof Error ? error.stack : error}\n`);
    await endAll();
    process.exit(code ?? process.exitCode);
  };
  process.on('SIGINT', () => end(130));
  process.on('SIGTERM', () => end(143));
  process.on('uncaughtException', (error) => end(1, error));
  main().then(
    () => end(),
    (error) => end(1, error),
  );
}
