import { StartError } from '../protocol/errors.ts';

/**
 * Loads a package that is installed only where it is used. Throws a {@link StartError} with the command that installs it
 * if it is missing; `variable` is the setting that needs it.
 */
export async function loadOptional<Module>(
  name: string,
  variable: string,
  load: () => Promise<Module>,
): Promise<Module> {
  try {
    return await load();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error;
    throw new StartError(
      `${variable} is set, but the optional package ${name} is not installed; run: npm install --omit=dev --no-save --save-prod ${name}`,
      { cause: error },
    );
  }
}
