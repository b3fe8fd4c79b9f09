import { env, stdin, stdout } from 'node:process';
import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { createVitest } from 'vitest/node';

/**
 * Runs journeys one after the other in one browser, since to start vitest and a browser takes as long as a journey.
 * Only `tests/support/journeys.py` starts it.
 *
 * Each line of the input is `{"journey": path, "address": of the server}` in JSON, and each line of the output
 * `{"succeeded": boolean, "output": text}`. It ends with its input.
 */

let output = '';
const collected = () =>
  new Writable({
    write(chunk, _encoding, done) {
      output += String(chunk);
      done();
    },
  });

const vitest = await createVitest(
  'test',
  { config: 'tests/vitest.config.ts', watch: false },
  {},
  { stdout: collected(), stderr: collected() },
);
await vitest.standalone();

/** Returns whether there is such a journey, and every step of it succeeds. Results of earlier ones are kept too. */
async function run(journey) {
  const specifications = await vitest.globTestSpecifications([journey]);
  const { testModules, unhandledErrors } = await vitest.runTestSpecifications(specifications);
  const own = testModules.filter(({ moduleId }) => specifications.some((each) => each.moduleId === moduleId));
  return own.length === 1 && unhandledErrors.length === 0 && own.every((each) => each.ok());
}

for await (const line of createInterface({ input: stdin })) {
  const { journey, address } = JSON.parse(line);
  output = '';
  env['ADDRESS'] = address;
  const succeeded = await run(journey);
  stdout.write(`${JSON.stringify({ succeeded, output })}\n`);
}
await vitest.close();
