/*
 * What a benchmark starts (servers, databases, folders, a worktree) and must not leave behind, however it ends.
 */

type Undo = () => Promise<unknown> | unknown;

const pending = new Set<Undo>();

/** Registers what undoes something; the returned function does it earlier. It is done once. */
export function atEnd(undo: Undo): () => Promise<void> {
  pending.add(undo);
  return async () => {
    if (pending.delete(undo)) await undo();
  };
}

/** Undoes all that is registered, the latest first. One that fails is reported and keeps no other from its turn. */
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

/** Runs `main`, then undoes what is left, also after a failure and on Ctrl-C, and exits. */
export function runToTheEnd(main: () => Promise<void>): void {
  let ending = false;
  const end = async (code?: number, error?: unknown) => {
    if (ending) return; // what fails because its server is being stopped
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
