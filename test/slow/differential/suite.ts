import { readFile } from 'node:fs/promises';
import { runSeeds, runSteps } from './seeds.ts';
import { type Site, startOneNode, startTwoNodes } from './site.ts';

/*
 * Users with a long-lived client, and fresh clients in between; whatever they do and whatever breaks, the long-lived
 * client shows the same as a fresh one in the end. DIFFERENTIAL_SEED runs one seed, DIFFERENTIAL_SEEDS a number, with
 * DIFFERENTIAL_STEPS each; DIFFERENTIAL_SEQUENCE the steps in a file.
 */

const { DIFFERENTIAL_SEED, DIFFERENTIAL_SEEDS, DIFFERENTIAL_STEPS, DIFFERENTIAL_SEQUENCE } = process.env;

const modes = { 'one node': startOneNode, 'two nodes': startTwoNodes };

/** Defines the test for each mode, with a number of seeds and of steps of each seed. */
export function defineDifferentialTests(seeds: Record<keyof typeof modes, number>, steps: number): void {
  for (const [name, start] of Object.entries(modes))
    describe(`a long-lived client on ${name}`, function () {
      this.timeout(3_600_000);
      let site: Site | undefined;

      before(async function () {
        site = await start();
        if (site) return;
        console.log('      skipped: there is no nats-server here');
        this.skip();
      });
      after(() => site?.close());

      it('shows the same as a fresh one, after any sequence of commands and faults', async () => {
        if (!site) return;
        if (DIFFERENTIAL_SEQUENCE)
          return runSteps(site, JSON.parse(await readFile(DIFFERENTIAL_SEQUENCE, 'utf8')));
        const count = Number(DIFFERENTIAL_SEEDS ?? seeds[name as keyof typeof modes]);
        const all = Array.from({ length: count }, (_, index) => index + 1);
        await runSeeds(
          site,
          DIFFERENTIAL_SEED ? [Number(DIFFERENTIAL_SEED)] : all,
          Number(DIFFERENTIAL_STEPS ?? steps),
        );
      });
    });
}
